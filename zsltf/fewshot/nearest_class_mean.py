"""Nearest class mean: the class whose mean support feature is nearest."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity
from zsltf.similarities.distance import Distance
from zsltf.solvers.class_means import class_means
from zsltf.solvers.support_sets import squared_distances, support_means

__all__ = ["NearestClassMean"]


@dataclass(frozen=True, kw_only=True)
class NearestClassMean:
    """Squared Euclidean distance to the mean of a class's support; nothing is learned from base classes.

    Source: Mensink, Verbeek, Perronnin & Csurka, "Distance-based image classification", TPAMI 2013.
    """

    TRANSDUCTIVE: ClassVar[bool] = False

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> "NearestClassMean":
        """There is nothing to learn."""
        return self

    def fit(self, support: Features, classes: ClassTable) -> Classifier:
        """Average."""
        support.check_vectors("NearestClassMean")
        support.check_covers(classes)
        means = class_means(support.x, support.y, support.weights, len(classes))
        return Classifier(
            identity(means.shape[1]),
            classes,
            similarity=Distance(),
            class_vectors=means.astype(np.float32),
            opens_by=("photos",),
        )

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        return -squared_distances(query, support_means(support, support_y, ways))
