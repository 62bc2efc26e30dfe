"""Ridge regression from attributes to features: a class is where its attributes say that its images lie."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float
from sklearn.preprocessing import normalize

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity, linear
from zsltf.similarities.cosine import Cosine
from zsltf.solvers.ridge import solve_ridge
from zsltf.solvers.statistics import Statistics
from zsltf.training.preparation import Preparation
from zsltf.training.selection import PREPARATIONS, WHITENED

__all__ = ["Ridge"]


@dataclass(frozen=True, kw_only=True)
class Ridge:
    """Least squares from a class's attributes to its images' features; classes are compared by the cosine.

    In this direction shrinkage makes no hubs, that is no class vectors which are near to everything.

    Source: Shigeto, Suzuki, Hara, Shimbo & Matsumoto, "Ridge regression, hubness, and zero-shot learning", ECML 2015.
    """

    ridge: float = 10.0
    """Penalty of the weights, > 0, in examples times squared attribute units."""

    PREPARATIONS: ClassVar[Sequence[Preparation]] = (*PREPARATIONS, *WHITENED)
    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {"ridge": tuple(10.0**k for k in range(-3, 6))}

    def __post_init__(self) -> None:
        check_positive("Ridge", ridge=self.ridge)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Solve on the seen classes."""
        return self.solve(Statistics.of(train, classes), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        kernel = solve_ridge(classes.semantics, statistics.counts, statistics.sums, self.ridge)
        similarity = Cosine(name="cosine")
        return Classifier(identity(kernel.shape[1]), classes, project=linear(kernel), similarity=similarity)

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range from one pass."""
        statistics, a = Statistics.of(train, classes), normalize(x)
        for ridge in self.SEARCH["ridge"]:
            kernel = solve_ridge(classes.semantics, statistics.counts, statistics.sums, ridge)
            yield replace(self, ridge=ridge), a @ normalize(classes.semantics @ kernel).T
