"""ESZSL: zero-shot learning in closed form."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve

from zsltf.checks import check_choice, check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.solvers.gram import Gram
from zsltf.solvers.statistics import Statistics

__all__ = ["ESZSL", "solve_eszsl"]

_TARGETS = {"-1/+1": (2.0, 1.0), "0/1": (1.0, 0.0)}


@dataclass(frozen=True, kw_only=True)
class ESZSL:
    """Least squares from features to attributes, ridge-penalised on both sides.

    Source: Romera-Paredes & Torr, "An embarrassingly simple approach to zero-shot learning", ICML 2015.
    """

    feature_ridge: float = 1.0
    """Ridge on the feature side (the paper's gamma), > 0, in squared feature units."""
    attribute_ridge: float = 1.0
    """Ridge on the attribute side (the paper's lambda), > 0, in squared attribute units."""
    targets: Literal["-1/+1", "0/1"] = "-1/+1"
    """Of the classes that an image isn't of, and of its own: the paper's, or those of most later code."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {
        "feature_ridge": tuple(10.0**k for k in range(-3, 7)),  # published optima sit on the edge of 10^-3..3
        "attribute_ridge": tuple(10.0**k for k in range(-3, 7)),
    }

    def __post_init__(self) -> None:
        check_positive("ESZSL", feature_ridge=self.feature_ridge, attribute_ridge=self.attribute_ridge)
        check_choice("ESZSL.targets", self.targets, _TARGETS)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Solve on the seen classes; the result scores features (B, D) against any class rows (C, A)."""
        return self.solve(Statistics.of(train, classes), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        seen = classes.seen
        correlation = self._correlation(statistics, classes)
        ridges = self.feature_ridge, self.attribute_ridge
        return Classifier(
            linear(solve_eszsl(statistics.gram.matrix, correlation, classes.semantics[seen], *ridges)), classes
        )

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range from one eigendecomposition a side: (X'X + g I)^-1 = U (p + g)^-1 U'."""
        statistics = Statistics.of(train, classes)
        s = classes.semantics[classes.seen].astype(np.float64)
        (p, u), (q, v) = statistics.gram.spectrum, Gram(s).spectrum
        middle = u.T @ self._correlation(statistics, classes) @ s @ v  # (R, Q)
        left, right = x @ u, v.T @ classes.semantics.T  # (N, R), (Q, C)
        for ridges in itertools.product(self.SEARCH["feature_ridge"], self.SEARCH["attribute_ridge"]):
            scores = left @ (middle / np.outer(p + ridges[0], q + ridges[1])) @ right
            yield replace(self, feature_ridge=ridges[0], attribute_ridge=ridges[1]), scores

    def _correlation(self, statistics: Statistics, classes: ClassTable) -> Float[np.ndarray, "D S"]:
        """X'Y: features with targets."""
        own, others = _TARGETS[self.targets]
        return own * statistics.sums[classes.seen].T - others * statistics.sums.sum(axis=0)[:, None]


def solve_eszsl(
    gram: Float[np.ndarray, "D D"],
    correlation: Float[np.ndarray, "D S"],
    s: Float[np.ndarray, "S A"],
    feature_ridge: float,
    attribute_ridge: float,
) -> Float[np.ndarray, "D A"]:
    """Return V = (X'X + g I)^-1 X'Y S (S'S + l I)^-1 in float64, g and l the two ridges.

    Args:
        gram: X'X of the training images' features.
        correlation: X'Y; Y is +1 where image n is of seen class s, else -1.
        s: attributes of the S seen classes.
        feature_ridge: g, > 0.
        attribute_ridge: l, > 0.
    """
    s = s.astype(np.float64)
    left = gram + feature_ridge * np.eye(len(gram))  # (D, D)
    right = s.T @ s + attribute_ridge * np.eye(s.shape[1])  # (A, A), symmetric: B right^-1 = solve(right, B.T).T
    return solve(right, solve(left, correlation @ s, assume_a="pos").T, assume_a="pos").T
