"""ESZSL: zero-shot learning in closed form."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve

from zsltf.checks import check_positive
from zsltf.classifier import Classifier, linear
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.solvers.spectrum import spectrum

__all__ = ["ESZSL", "solve_eszsl"]


@dataclass(frozen=True, kw_only=True)
class ESZSL:
    """Least squares from features to attributes, ridge-penalised on both sides.

    Source: Romera-Paredes & Torr, "An embarrassingly simple approach to zero-shot learning", ICML 2015.
    """

    feature_ridge: float = 1.0
    """Ridge on the feature side (the paper's gamma), > 0, in squared feature units."""
    attribute_ridge: float = 1.0
    """Ridge on the attribute side (the paper's lambda), > 0, in squared attribute units."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {
        "feature_ridge": tuple(10.0**k for k in range(-3, 7)),  # published optima sit on the edge of 10^-3..3
        "attribute_ridge": tuple(10.0**k for k in range(-3, 7)),
    }

    def __post_init__(self) -> None:
        check_positive("ESZSL", feature_ridge=self.feature_ridge, attribute_ridge=self.attribute_ridge)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Solve on the seen classes; the result scores features (B, D) against any class rows (C, A)."""
        x, y = _weighted(train, classes)
        v = solve_eszsl(x, y, classes.semantics[classes.seen], self.feature_ridge, self.attribute_ridge)
        return Classifier(linear(v), classes)  # A = x V, B = S, similarity = dot

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range from one eigendecomposition a side: (X'X + g I)^-1 = U (p + g)^-1 U'."""
        known, y = _weighted(train, classes)
        s = classes.semantics[classes.seen].astype(np.float64)
        (p, u), (q, v) = spectrum(known), spectrum(s)
        middle = u.T @ (known.T @ (y @ s)) @ v  # (R, Q)
        left, right = x @ u, v.T @ classes.semantics.T  # (N, R), (Q, C)
        for ridges in itertools.product(self.SEARCH["feature_ridge"], self.SEARCH["attribute_ridge"]):
            scores = left @ (middle / np.outer(p + ridges[0], q + ridges[1])) @ right
            yield replace(self, feature_ridge=ridges[0], attribute_ridge=ridges[1]), scores


def solve_eszsl(
    x: Float[np.ndarray, "N D"],
    y: Float[np.ndarray, "N S"],
    s: Float[np.ndarray, "S A"],
    feature_ridge: float,
    attribute_ridge: float,
) -> Float[np.ndarray, "D A"]:
    """Return V = (X'X + g I)^-1 X'Y S (S'S + l I)^-1 in float64, g and l the two ridges.

    Args:
        x: features of the N training images.
        y: +1 where image n is of seen class s, else -1.
        s: attributes of the S seen classes.
        feature_ridge: g, > 0.
        attribute_ridge: l, > 0.
    """
    x, y, s = (a.astype(np.float64) for a in (x, y, s))
    left = x.T @ x + feature_ridge * np.eye(x.shape[1])  # (D, D)
    right = s.T @ s + attribute_ridge * np.eye(s.shape[1])  # (A, A), symmetric: B right^-1 = solve(right, B.T).T
    return solve(right, solve(left, x.T @ y @ s, assume_a="pos").T, assume_a="pos").T


def _weighted(train: Features, classes: ClassTable) -> tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N S"]]:
    """Features and +-1 targets, each row times the root of its weight."""
    train.check_vectors("ESZSL")
    y = np.where(train.y[:, None] == np.flatnonzero(classes.seen), 1.0, -1.0)
    root = np.sqrt(train.weights.astype(np.float64))[:, None]
    return train.x * root, y * root
