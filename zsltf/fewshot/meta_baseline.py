"""Meta-Baseline: a classifier of all base classes first, then episodes."""

from dataclasses import dataclass, field
from typing import ClassVar

import keras

from zsltf.checks import check_positive
from zsltf.data.features import Features
from zsltf.fewshot.prototypical_network import ScaledCosine
from zsltf.training.base_classes import train_base_classes
from zsltf.training.descent import Descent
from zsltf.training.embedded_learner import EmbeddedLearner, own_network
from zsltf.training.episodic import EpisodicTrainer, EpisodicTraining

__all__ = ["MetaBaseline"]


@dataclass(frozen=True, kw_only=True)
class MetaBaseline:
    """Transfer, then meta-learning: the network of `ClassifierBaseline` is trained on with scale cos to class means.

    Without a network only the scale is learnt. The paper's second stage is SGD; here it is Adam.

    Source: Chen, Liu, Xu, Darrell & Wang, "Meta-Baseline: exploring simple meta-learning for few-shot learning",
    ICCV 2021.
    """

    scale: float = 10.0
    """Of the cosines, where the episodes begin, > 0; it is trained (the paper's tau)."""
    descent: Descent = field(default_factory=Descent)
    """Of the training on base classes."""
    training: EpisodicTraining = field(default_factory=lambda: EpisodicTraining(learning_rate=1e-4))
    """On episodes afterwards."""

    TRANSDUCTIVE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive("MetaBaseline", scale=self.scale)

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> EmbeddedLearner:
        """Train a copy of the network twice, and the scale; see FewShotMethod."""
        own = own_network("MetaBaseline", base, network)
        metric = ScaledCosine.starting(self.scale)
        learner = EmbeddedLearner(network=own, metric=metric)
        variables = [*own.trainable_variables, metric.log_scale]
        episodes = EpisodicTrainer(learner.logits, variables, self.training, base, validation)
        if network is not None:
            train_base_classes(own, self.descent, base)
        episodes.run()
        return learner
