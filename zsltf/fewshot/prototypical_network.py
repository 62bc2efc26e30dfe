"""Prototypical network: an embedding trained on episodes, in which a class is the mean of its examples."""

from dataclasses import dataclass, field
from typing import ClassVar

import keras

from zsltf.data.features import Features
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.protocols import FewShotLearner
from zsltf.training.embedded_learner import EmbeddedLearner, own_network
from zsltf.training.episodic import EpisodicTraining, train_episodes

__all__ = ["PrototypicalNetwork"]


@dataclass(frozen=True, kw_only=True)
class PrototypicalNetwork:
    """The class whose mean embedding, its prototype, is nearest; the network learns it on episodes of base classes.

    It trains best on more ways than it is used with. Without a network nothing is to be learnt: it is
    `NearestClassMean`.

    Source: Snell, Swersky & Zemel, "Prototypical networks for few-shot learning", NIPS 2017.
    """

    training: EpisodicTraining = field(default_factory=EpisodicTraining)

    TRANSDUCTIVE: ClassVar[bool] = False

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """Train a copy of the network; see FewShotMethod."""
        metric = NearestClassMean()
        if network is None:
            return metric
        learner = EmbeddedLearner(network=own_network("PrototypicalNetwork", base, network), metric=metric)
        train_episodes(learner.logits, learner.network.trainable_variables, self.training, base, validation)
        return learner
