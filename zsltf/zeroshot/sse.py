"""SSE: a class, seen or not, is a mixture of seen classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Bool, Float
from scipy.linalg import solve

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.layers.simplex_mixture import mixture_shares, simplex_mixture
from zsltf.solvers.discriminant import discriminant
from zsltf.solvers.statistics import Statistics

__all__ = ["SSE"]


@dataclass(frozen=True, kw_only=True)
class SSE:
    """Semantic similarity embedding: an image's scores of the seen classes meet the class's shares of them.

    F(x, c) = sum_r w_r phi_r(x) p_r(s_c): p is the mixture of seen classes nearest to the attributes s_c, phi are
    scores of linear discriminant analysis; w makes F +1 for an image's class and -1 for the others, by least squares
    (shrunk by 0.001 of their mean curvature).

    Source: Zhang & Saligrama, "Zero-shot learning via semantic similarity embedding", ICCV 2015 (theirs uses the
    intersection kernel for phi and trains w and phi's centres by a support vector machine).
    """

    mixture_ridge: float = 0.1
    """Penalty of the squared shares, > 0, in squared attribute units: larger spreads a class over more seen classes."""
    shrinkage: float = 0.1
    """Of the discriminant's covariance, in (0, 1]; see LinearDiscriminant."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {
        "mixture_ridge": (0.001, 0.01, 0.1, 1.0),
        "shrinkage": (0.03, 0.1, 0.3),
    }

    def __post_init__(self) -> None:
        check_positive("SSE", mixture_ridge=self.mixture_ridge, shrinkage=self.shrinkage)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Solve on the seen classes."""
        return self.solve(Statistics.of(train, classes), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        known = statistics.counts > 0
        mixture = simplex_mixture(classes.semantics[known], ridge=self.mixture_ridge)
        shares = _shares(classes.semantics, known, self.mixture_ridge)
        kernel, bias = _heads(statistics, discriminant(statistics, self.shrinkage), shares[known])
        project = keras.Sequential([keras.Input((len(classes.columns),)), mixture], name="project")
        return Classifier(linear(kernel.T, bias), classes, project=project, class_vectors=shares)

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range; the discriminant is solved once a shrinkage, the shares once a penalty."""
        statistics = Statistics.of(train, classes)
        known = statistics.counts > 0
        solved = {share: discriminant(statistics, share) for share in self.SEARCH["shrinkage"]}
        for ridge in self.SEARCH["mixture_ridge"]:
            shares = _shares(classes.semantics, known, ridge)
            for shrinkage, heads in solved.items():
                kernel, bias = _heads(statistics, heads, shares[known])
                yield replace(self, mixture_ridge=ridge, shrinkage=shrinkage), (x @ kernel.T + bias) @ shares.T


_compiled = tf.function(mixture_shares, reduce_retracing=True, autograph=False)


def _shares(
    semantics: Float[np.ndarray, "C A"], known: Bool[np.ndarray, " C"], ridge: float
) -> Float[np.ndarray, "C S"]:
    """Of every class among the known ones, as `project` gives them."""
    return np.asarray(_compiled(*map(tf.constant, (semantics, semantics[known], np.float32(ridge)))))


def _heads(
    statistics: Statistics, heads: tuple[np.ndarray, np.ndarray], shares: Float[np.ndarray, "S S"]
) -> tuple[Float[np.ndarray, "S D"], Float[np.ndarray, " S"]]:
    """Kernel and bias of w_r phi_r."""
    kernel, bias = heads
    together = np.concatenate([kernel, bias[:, None]], axis=1)
    weights = _weights(statistics, together, shares.astype(np.float64))
    return weights[:, None] * kernel, weights * bias


def _weights(
    statistics: Statistics, heads: Float[np.ndarray, "S D+1"], shares: Float[np.ndarray, "S S"]
) -> Float[np.ndarray, " S"]:
    """Least squares of sum_r w_r phi_r(x) p_rc against +1 for x's class and -1 for others; row c of shares is p_c."""
    known = statistics.counts > 0
    counts = statistics.counts[known]
    sums = np.concatenate([statistics.sums[known], counts[:, None]], axis=1)  # of [x, 1]
    total = sums.sum(axis=0)
    moment = np.block([[statistics.gram.matrix, total[:-1, None]], [total[None]]])
    scores = heads @ moment @ heads.T  # sum over images of phi phi'
    by_class = heads @ sums.T  # (S, S): column c is the sum of phi over the images of class c
    right = 2 * (by_class * shares.T).sum(axis=1) - (heads @ total) * shares.sum(axis=0)
    left = scores * (shares.T @ shares)
    return solve(left + 1e-3 * np.trace(left) / len(left) * np.eye(len(left)), right, assume_a="pos")
