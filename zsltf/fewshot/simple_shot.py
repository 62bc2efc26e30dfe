"""SimpleShot: centre on the base classes, bring to length 1, take the nearest class mean."""

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
from zsltf.similarities.distance import Distance
from zsltf.solvers.class_means import class_means
from zsltf.solvers.support_sets import squared_distances, support_means
from zsltf.training.frozen_network import on_embeddings

__all__ = ["SimpleShot"]


@dataclass(frozen=True, kw_only=True)
class SimpleShot:
    """Nearest class mean among features less the mean of base, each of length 1; queries have no part in that mean.

    Source: Wang, Chao, Weinberger & van der Maaten, "SimpleShot: revisiting nearest-neighbor classification for
    few-shot learning", 2019 (CL2N; without centring their L2N).
    """

    centre: bool = True
    """Whether the mean of base is taken off."""

    TRANSDUCTIVE: ClassVar[bool] = False

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """Average base, over its examples."""
        return on_embeddings("SimpleShot", base, network, self._centred)

    def without_base(self) -> FewShotLearner:
        """Without centring."""
        return _UnitMeans(centre=None)

    def _centred(self, base: Features) -> "_UnitMeans":
        return _UnitMeans(centre=np.average(base.x, axis=0, weights=base.weights) if self.centre else None)


@dataclass(frozen=True, kw_only=True, eq=False)
class _UnitMeans:
    centre: Float[np.ndarray, " D"] | None

    TRANSDUCTIVE: ClassVar[bool] = False

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Average each class's unit vectors; every class needs an example."""
        train.check_vectors("SimpleShot")
        train.check_covers(classes)
        layers = [] if self.centre is None else [centring(self.centre)]
        embed = keras.Sequential(
            [keras.Input(train.x.shape[1:]), *layers, keras.layers.UnitNormalization()], name="embed"
        )
        means = class_means(np.asarray(embed(train.x)), train.y, train.weights, len(classes))
        vectors = means.astype(np.float32)
        return Classifier(embed, classes, similarity=Distance(), class_vectors=vectors, opens_by=("photos",))

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        support, query = (self._unit(examples) for examples in (support, query))
        return -squared_distances(query, support_means(support, support_y, ways))

    def _unit(self, x: Any) -> Any:
        return keras.ops.normalize(x if self.centre is None else x - self.centre.astype(np.float32), axis=-1)
