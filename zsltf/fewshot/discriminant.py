"""Linear discriminant analysis whose covariance comes from other classes, so that one example a class is enough."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import keras
import numpy as np
from jaxtyping import Float
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.centre import centring
from zsltf.protocols import FewShotLearner
from zsltf.similarities.distance import Distance
from zsltf.solvers.statistics import Statistics
from zsltf.solvers.support_covariance import Pooled, Spread, gaussian_scores, precision_scores
from zsltf.solvers.whitening import triangular_whitening
from zsltf.training.frozen_network import on_embeddings
from zsltf.training.held_out_classes import class_parts, nearest_mean_accuracy, part_episodes

__all__ = ["Discriminant"]

_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.97, 0.99, 1.0)
_SHARE = 0.9  # where there is nothing to choose on


@dataclass(frozen=True, kw_only=True)
class Discriminant:
    """Equally likely Gaussian classes with one covariance, among features less the mean of base, each of length 1.

    The mean of one example is as far off as the example is, in every direction that the whitening blows up. So the
    covariance is shrunk far more than where classes have many examples, by what is best on held-out classes of base;
    and without the unit length, the longest example of a support would lose queries to all others.

    Source: Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 1936; the covariance is
    shrunk as by Ledoit & Wolf 2004.
    """

    shrinkage: float | None = None
    """Share of the mean variance in the covariance, in (0, 1]; by default chosen on held-out classes of base."""
    covariance: Literal["base", "support", "both"] = "base"
    """Whose examples, around their class's mean, the covariance is of."""
    unit_norm: bool = True
    """Whether features are brought to length 1."""
    seed: int = 0
    """Of the classes and episodes that the shrinkage is chosen on."""

    TRANSDUCTIVE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.shrinkage is not None and not 0 < self.shrinkage <= 1:
            fail("Discriminant.shrinkage", "a share in (0, 1]", f"{self.shrinkage:g}", "Start from the default.")

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """Average base, and see how its classes spread; shrinkage is chosen on five parts of its classes in turn."""
        return on_embeddings("Discriminant", base, network, self._chosen)

    def without_base(self) -> FewShotLearner:
        """From the support's own covariance, without centring."""
        return _Gaussians(
            centre=None, spread=None, covariance="support", shrinkage=self._given, unit_norm=self.unit_norm
        )

    @property
    def _given(self) -> float:
        return _SHARE if self.shrinkage is None else self.shrinkage

    @threadpool_limits.wrap(limits=1, user_api="blas")  # on busy cores one thread is 10 times faster than two
    def _chosen(self, base: Features) -> "_Gaussians":
        if self.shrinkage is not None or self.covariance == "support":
            return self._learned(base, self._given)
        reached = dict.fromkeys(_SHARES, 0.0)
        for others, held in class_parts(base, self.seed):
            learned, episodes = self._learned(others, _SHARE), part_episodes(held.y, self.seed)
            z = learned.moved(held.x)
            for share in _SHARES:
                whitened = triangular_whitening(learned.known.matrix, share, z)
                reached[share] += nearest_mean_accuracy(whitened, episodes)
        best = max(reached, key=lambda share: reached[share])
        return self._learned(base, best if reached[best] else _SHARE)

    def _learned(self, base: Features, shrinkage: float) -> "_Gaussians":
        centre = np.average(base.x, axis=0, weights=base.weights)
        bare = _Gaussians(
            centre=centre, spread=None, covariance=self.covariance, shrinkage=shrinkage, unit_norm=self.unit_norm
        )
        labels = np.unique(base.y, return_inverse=True)[1]
        statistics = Statistics.of_batches([(bare.moved(base.x), labels, base.weights)], int(labels.max()) + 1)
        return replace(bare, spread=Spread.of(statistics))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Gaussians:
    centre: Float[np.ndarray, " D"] | None
    spread: Spread | None
    """Of base."""
    covariance: Literal["base", "support", "both"]
    shrinkage: float
    unit_norm: bool

    TRANSDUCTIVE: ClassVar[bool] = False

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Whiten, and average each class; every class needs an example."""
        train.check_vectors("Discriminant")
        train.check_covers(classes)
        own = Statistics.of_batches([(self.moved(train.x), train.y, train.weights)], len(classes))
        kernel = self.kernel if self.covariance == "base" else self._pooled(own)
        steps = [] if self.centre is None else [centring(self.centre)]
        steps += [keras.layers.UnitNormalization()] if self.unit_norm else []
        turn = keras.layers.Dense(len(kernel), use_bias=False, name="whitening")
        embed = keras.Sequential([keras.Input(train.x.shape[1:]), *steps, turn], name="embed")
        turn.set_weights([kernel])
        vectors = (own.means @ kernel).astype(np.float32)
        return Classifier(embed, classes, similarity=Distance(scale=0.5), class_vectors=vectors, opens_by=("photos",))

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        support, query = (self._moved_in_graph(examples) for examples in (support, query))
        if self.covariance == "base":
            precision = (self.kernel @ self.kernel.T).astype(np.float32)
            return precision_scores(support, support_y, query, ways, precision)
        if self.covariance == "both":
            variances, directions = (part.astype(np.float32) for part in self.known.spectrum)
            share = self._share(keras.ops.cast(keras.ops.shape(support)[1], "float32"))
        else:
            variances, directions, share = np.zeros(support.shape[-1], np.float32), None, 0.0
        pooled = Pooled(variances=variances, directions=directions, share=share, shrinkage=self.shrinkage)
        return gaussian_scores(support, support_y, query, ways, pooled)

    @property
    def known(self) -> Spread:
        """The spread of base, which is there wherever it is asked for."""
        if self.spread is None:
            fail("Discriminant", "examples of base classes", "none", "Call learn.")
        return self.spread

    @cached_property
    def kernel(self) -> Float[np.ndarray, "D D"]:
        """What whitens by the spread of base."""
        return triangular_whitening(self.known.matrix, self.shrinkage)

    def moved(self, x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
        """Centred, and of length 1, in float64."""
        moved = np.asarray(x, np.float64) - (0.0 if self.centre is None else self.centre)
        return normalize(moved) if self.unit_norm else moved

    def _moved_in_graph(self, x: Any) -> Any:
        moved = x if self.centre is None else x - self.centre.astype(np.float32)
        return keras.ops.normalize(moved, axis=-1) if self.unit_norm else moved

    def _pooled(self, own: Statistics) -> Float[np.ndarray, "D D"]:
        """What whitens by the support's covariance, and base's beside it."""
        covariance = own.within()
        if self.covariance == "both":
            share = self._share(own.total)
            covariance = share * self.known.matrix + (1 - share) * covariance
        return triangular_whitening(covariance, self.shrinkage)

    def _share(self, examples: Any) -> Any:
        """Of base's covariance, beside that of so many examples of the support."""
        return self.known.examples / (self.known.examples + examples)
