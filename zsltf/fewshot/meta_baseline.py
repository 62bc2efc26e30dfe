"""Meta-Baseline: a classifier of all base classes first, then episodes."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.fewshot.nearest_class_mean import NearestClassMean
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
        metric = _ScaledCosine(log_scale=keras.Variable(np.float32(np.log(self.scale)), name="log_scale"))
        learner = EmbeddedLearner(network=own, metric=metric)
        variables = [*own.trainable_variables, metric.log_scale]
        episodes = EpisodicTrainer(learner.logits, variables, self.training, base, validation)
        if network is not None:
            train_base_classes(own, self.descent, base)
        episodes.run()
        return learner


@dataclass(frozen=True, kw_only=True, eq=False)
class _ScaledCosine:
    """A trained number of times the cosine to each class's mean."""

    log_scale: keras.Variable

    TRANSDUCTIVE: ClassVar[bool] = False

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Average each class; every class needs an example."""
        scale = float(np.exp(self.log_scale.numpy()))
        return NearestClassMean(cosine=True).fit(train, classes).calibrate(gamma=0.0, scale=scale)

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        return tf.exp(self.log_scale) * NearestClassMean(cosine=True).logits(support, support_y, query, ways)
