"""Any-shot: a class from its attributes, from its photos, or from both."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float
from sklearn.preprocessing import normalize

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity, linear
from zsltf.similarities.cosine import Cosine
from zsltf.solvers.ridge import solve_ridge
from zsltf.solvers.statistics import Statistics
from zsltf.training.preparation import Preparation
from zsltf.training.selection import PREPARATIONS, WHITENED

__all__ = ["AnyShot", "shrunk_means"]


@dataclass(frozen=True, kw_only=True)
class AnyShot:
    """Nearest class mean by the cosine, each mean shrunk towards what ridge regression expects of the attributes.

    With n photos the mean counts n / (n + kappa): a class without photos is its attributes, one with many its photos.

    Source: Mensink, Verbeek, Perronnin & Csurka, "Distance-based image classification", TPAMI 2013 (means); Shigeto et
    al., "Ridge regression, hubness, and zero-shot learning", ECML 2015 (attributes); the weights are those of a
    Gaussian mean under a Gaussian prior.
    """

    kappa: float = 5.0
    """Photos that a class's attributes count as, >= 0; 0 trusts the photos alone where there are any."""
    ridge: float = 10.0
    """Penalty of the regression's weights, > 0, in examples times squared attribute units."""

    PREPARATIONS: ClassVar[Sequence[Preparation]] = (*PREPARATIONS, *WHITENED)
    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {"ridge": tuple(10.0**k for k in range(-3, 6))}

    def __post_init__(self) -> None:
        check_positive("AnyShot", ridge=self.ridge)
        if not 0 <= self.kappa < np.inf:
            fail("AnyShot.kappa", "a number of photos >= 0", f"{self.kappa:g}", "Start from the default.")

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Average and solve; classes without photos, seen or not, are what their attributes say."""
        return self.solve(Statistics.of(train, classes, unseen=True), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        kernel = solve_ridge(classes.semantics, statistics.counts, statistics.sums, self.ridge)
        return Classifier(
            identity(kernel.shape[1]),
            classes,
            project=linear(kernel),
            similarity=Cosine(name="cosine"),
            class_vectors=shrunk_means(statistics, classes.semantics @ kernel, self.kappa),
            opens_by=("semantics", "photos"),
            prior_photos=self.kappa,
        )

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range from one pass."""
        statistics, a = Statistics.of(train, classes, unseen=True), normalize(x)
        for ridge in self.SEARCH["ridge"]:
            expected = classes.semantics @ solve_ridge(classes.semantics, statistics.counts, statistics.sums, ridge)
            yield replace(self, ridge=ridge), a @ normalize(shrunk_means(statistics, expected, self.kappa)).T


def shrunk_means(statistics: Statistics, expected: Float[np.ndarray, "C D"], kappa: float) -> Float[np.ndarray, "C D"]:
    """Return lambda mean + (1 - lambda) expected for each class, lambda = n / (n + kappa).

    Args:
        statistics: of the examples.
        expected: means that the attributes let expect.
        kappa: examples that the expectation counts as, >= 0.
    """
    n = statistics.counts[:, None]
    return np.divide(statistics.sums + kappa * expected, n + kappa, out=expected.copy(), where=n > 0)
