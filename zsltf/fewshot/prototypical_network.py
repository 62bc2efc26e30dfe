"""Prototypical network: an embedding trained on episodes, in which a class is the mean of its examples."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.protocols import FewShotLearner
from zsltf.training.embedded_learner import EmbeddedLearner, own_network
from zsltf.training.episodic import EpisodicTraining, train_episodes

__all__ = ["PrototypicalNetwork", "ScaledCosine"]


@dataclass(frozen=True, kw_only=True)
class PrototypicalNetwork:
    """The class whose mean embedding, its prototype, is nearest; the network learns it on episodes of base classes.

    It trains best on more ways than it is used with. Without a network nothing is to be learnt: it is
    `NearestClassMean`.

    Source: Snell, Swersky & Zemel, "Prototypical networks for few-shot learning", NIPS 2017, which compares the
    distances too.
    """

    cosine: bool = False
    """Whether a learned scale times the cosine stands for the negative squared distance."""
    training: EpisodicTraining = field(default_factory=EpisodicTraining)

    TRANSDUCTIVE: ClassVar[bool] = False
    NEEDS_NETWORK: ClassVar[bool] = True
    """To learn anything from base classes."""

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """Train a copy of the network; see FewShotMethod."""
        if network is None:
            return NearestClassMean(cosine=self.cosine)
        own = own_network("PrototypicalNetwork", base, network)
        scaled = ScaledCosine.starting(10.0)
        learner = EmbeddedLearner(network=own, metric=scaled if self.cosine else NearestClassMean())
        variables = [*own.trainable_variables, *([scaled.log_scale] if self.cosine else [])]
        train_episodes(learner.logits, variables, self.training, base, validation)
        return learner


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaledCosine:
    """A trained number of times the cosine to each class's mean."""

    log_scale: keras.Variable

    TRANSDUCTIVE: ClassVar[bool] = False

    @classmethod
    def starting(cls, scale: float) -> "ScaledCosine":
        """With this scale, before training."""
        return cls(log_scale=keras.Variable(np.float32(np.log(scale)), name="log_scale"))

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Average each class; every class needs an example."""
        scale = float(np.exp(self.log_scale.numpy()))
        return NearestClassMean(cosine=True).fit(train, classes).calibrate(gamma=0.0, scale=scale)

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        return tf.exp(self.log_scale) * NearestClassMean(cosine=True).logits(support, support_y, query, ways)
