"""Gaussian classes with one covariance in many episodes at once: other classes', the support's, or both together."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import keras
import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

from zsltf.solvers.statistics import Statistics
from zsltf.solvers.support_sets import support_means

__all__ = ["Pooled", "Spread", "gaussian_scores", "precision_scores"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """A covariance within classes, and from how many examples it is."""

    matrix: Float[np.ndarray, "D D"]
    examples: float
    """Sum of their weights."""

    @classmethod
    def of(cls, statistics: Statistics) -> Self:
        """Of all classes that have examples."""
        return cls(matrix=statistics.within(), examples=statistics.total)

    @cached_property
    def spectrum(self) -> tuple[Float[np.ndarray, " D"], Float[np.ndarray, "D D"]]:
        """Variances >= 0, and their directions."""
        variances, directions = eigh(self.matrix, driver="evd")
        return np.maximum(variances, 0), directions


@dataclass(frozen=True, kw_only=True, eq=False)
class Pooled:
    """The covariance (1 - shrinkage) C + shrinkage tr(C) / D I with C = share C_o + (1 - share) C_s.

    C_o is that of other classes, C_s that of a support around its class means.
    """

    variances: Float[np.ndarray, " D"]
    """Of other classes' examples along these directions."""
    directions: Float[np.ndarray, "D D"] | None
    """Columns of length 1, at right angles; None for the coordinates themselves."""
    share: Any
    """Of those; 1 does without the support's."""
    shrinkage: float
    """In (0, 1]."""


def gaussian_scores(support: Any, support_y: Any, query: Any, ways: int, covariance: Pooled) -> Any:
    """Log-likelihoods (E, Q, W) of queries, up to what an image's classes have in common.

    The support's part of the covariance has rank S at most, so that only matrices S x S are solved.

    Args:
        support: examples (E, S, D).
        support_y: their ways (E, S); every way has an example.
        query: examples (E, Q, D).
        ways: W.
        covariance: of all classes.
    """
    ops, count = keras.ops, keras.ops.shape(support)[1]
    means, centre = _centred_means(support, support_y, ways)
    around = support - centre - ops.einsum("esw,ewd->esd", ops.one_hot(support_y, ways, dtype=support.dtype), means)
    turned, around = (_along(rows, covariance.directions) for rows in (means, around))
    diagonal = _diagonal(around, covariance)
    kernel = turned / diagonal
    rows = around * ops.sqrt((1 - covariance.shrinkage) * (1 - covariance.share) / ops.cast(count, support.dtype))
    inner = ops.eye(count, dtype=support.dtype) + ops.einsum("end,emd->enm", rows / diagonal, rows)
    inside = ops.solve(inner, ops.einsum("esd,ewd->esw", rows, kernel))
    kernel = kernel - ops.einsum("esw,esd->ewd", inside, rows) / diagonal
    back = None if covariance.directions is None else covariance.directions.T
    return _scores(query - centre, _along(kernel, back), means)


def precision_scores(support: Any, support_y: Any, query: Any, ways: int, precision: Float[np.ndarray, "D D"]) -> Any:
    """The same (E, Q, W) under one inverse covariance for all episodes."""
    means, centre = _centred_means(support, support_y, ways)
    return _scores(query - centre, keras.ops.matmul(means, precision), means)


def _centred_means(support: Any, support_y: Any, ways: int) -> tuple[Any, Any]:
    """Class means (E, W, D) less their mean (E, 1, D), and that mean."""
    means = support_means(support, support_y, ways)
    centre = keras.ops.mean(means, axis=1, keepdims=True)
    return means - centre, centre


def _along(rows: Any, directions: Float[np.ndarray, "D D"] | None) -> Any:
    return rows if directions is None else keras.ops.matmul(rows, directions)


def _diagonal(around: Any, covariance: Pooled) -> Any:
    """What of the covariance is along the directions (E, 1, D): other classes' part, and the shrinkage."""
    ops, variances, share = keras.ops, covariance.variances, covariance.share
    trace = share * ops.sum(variances) + (1 - share) * ops.sum(ops.mean(around**2, axis=1), axis=1)  # (E,)
    level = ops.where(trace > 0, trace, float(variances.shape[0])) / variances.shape[0]
    shrinkage = covariance.shrinkage
    return ((1 - shrinkage) * share * variances + shrinkage * level[:, None])[:, None]


def _scores(query: Any, kernel: Any, means: Any) -> Any:
    bias = keras.ops.sum(kernel * means, axis=2) / 2
    return keras.ops.einsum("eqd,ewd->eqw", query, kernel) - bias[:, None]
