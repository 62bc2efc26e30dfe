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

__all__ = ["Pooled", "Spread", "gaussian_scores"]


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
    """The covariance (1 - shrinkage) C + shrinkage tr(C) / D I with C = share diag(variances) + (1 - share) C_s.

    C_s is that of a support around its class means.
    """

    variances: Float[np.ndarray, " D"]
    """Of other classes' examples, in coordinates in which their covariance is diagonal."""
    share: Any
    """Of those; 1 does without the support's."""
    shrinkage: float
    """In (0, 1]."""


def gaussian_scores(support: Any, support_y: Any, query: Any, ways: int, covariance: Pooled) -> Any:
    """Log-likelihoods (E, Q, W) of queries, up to what an image's classes have in common.

    The support's part of the covariance has rank S at most, so that only matrices S x S are solved.

    Args:
        support: examples (E, S, D), in the coordinates of the covariance.
        support_y: their ways (E, S); every way has an example.
        query: examples (E, Q, D) in the same coordinates.
        ways: W.
        covariance: of all classes.
    """
    ops, count = keras.ops, keras.ops.shape(support)[1]
    variances, share, shrinkage = covariance.variances, covariance.share, covariance.shrinkage
    means = support_means(support, support_y, ways)
    centre = ops.mean(means, axis=1, keepdims=True)
    around = support - ops.einsum("esw,ewd->esd", ops.one_hot(support_y, ways, dtype=support.dtype), means)
    trace = share * ops.sum(variances) + (1 - share) * ops.sum(ops.mean(around**2, axis=1), axis=1)  # (E,)
    level = ops.where(trace > 0, trace, float(variances.shape[0])) / variances.shape[0]
    diagonal = ((1 - shrinkage) * share * variances + shrinkage * level[:, None])[:, None]  # (E, 1, D)
    kernel = (means - centre) / diagonal
    rows = around * ops.sqrt((1 - shrinkage) * (1 - share) / ops.cast(count, support.dtype))
    inner = ops.eye(count, dtype=support.dtype) + ops.einsum("end,emd->enm", rows / diagonal, rows)
    inside = ops.solve(inner, ops.einsum("esd,ewd->esw", rows, kernel))
    kernel = kernel - ops.einsum("esw,esd->ewd", inside, rows) / diagonal
    bias = ops.sum(kernel * (means - centre), axis=2) / 2
    return ops.einsum("eqd,ewd->eqw", query - centre, kernel) - bias[:, None]
