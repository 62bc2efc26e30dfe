"""Nearest class mean: a class is the mean of its examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
from jaxtyping import Float

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.centre import centring
from zsltf.protocols import FewShotLearner
from zsltf.similarities.cosine import Cosine
from zsltf.similarities.distance import Distance
from zsltf.solvers.class_means import class_means
from zsltf.solvers.support_sets import cosines, squared_distances, support_means
from zsltf.training.frozen_network import on_embeddings

__all__ = ["NearestClassMean"]


@dataclass(frozen=True, kw_only=True)
class NearestClassMean:
    """The class whose mean is nearest; a new class is the mean of a few photos.

    Source: Mensink, Verbeek, Perronnin & Csurka, "Distance-based image classification", TPAMI 2013.
    """

    cosine: bool = False
    """Compare directions instead of distances, for features whose length differs from one source to another."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {}
    TRANSDUCTIVE: ClassVar[bool] = False

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """There is nothing to learn; a network goes first, as it is."""
        return self if network is None else on_embeddings("NearestClassMean", base, network, lambda _: self)

    def without_base(self) -> "NearestClassMean":
        """The same."""
        return self

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Average each class; every class needs an example."""
        train.check_vectors("NearestClassMean")
        train.check_covers(classes)
        means = class_means(train.x, train.y, train.weights, len(classes))
        if self.cosine:
            return _classifier(keras.layers.Identity(), classes, Cosine(), means)
        centre = means.mean(axis=0)  # off both sides, or float32 loses the distances
        return _classifier(centring(centre), classes, Distance(), means - centre)

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        means = support_means(support, support_y, ways)
        return cosines(query, means) if self.cosine else -squared_distances(query, means)


def _classifier(
    layer: keras.layers.Layer, classes: ClassTable, similarity: keras.layers.Layer, vectors: Float[np.ndarray, "C D"]
) -> Classifier:
    embed = keras.Sequential([keras.Input((vectors.shape[1],)), layer], name="embed")
    vectors = vectors.astype(np.float32)
    return Classifier(embed, classes, similarity=similarity, class_vectors=vectors, opens_by=("photos",))
