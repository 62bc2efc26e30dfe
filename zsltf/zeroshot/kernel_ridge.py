"""Kernel ridge regression from attributes to features."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import keras
import numpy as np
from jaxtyping import Float
from scipy.linalg import solve
from scipy.spatial.distance import cdist
from sklearn.preprocessing import normalize

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity, linear
from zsltf.layers.radial_basis import radial_basis
from zsltf.similarities.cosine import Cosine
from zsltf.solvers.distances import bump_rate
from zsltf.solvers.statistics import Statistics
from zsltf.training.preparation import Preparation
from zsltf.training.selection import PREPARATIONS, WHITENED

__all__ = ["KernelRidge", "solve_kernel_ridge"]


@dataclass(frozen=True, kw_only=True)
class KernelRidge:
    """Kernel ridge regression from a class's attributes to the mean of its features, with Gaussian bumps.

    Source: Changpinyo, Chao & Sha, "Predicting visual exemplars of unseen classes for zero-shot learning", ICCV 2017
    (EXEM; theirs is a support vector regression for each feature).
    """

    ridge: float = 1.0
    """Penalty, > 0, in examples: a class of that many images is trusted by half."""
    width: float = 1.0
    """Of the bumps, > 0, as a multiple of the median distance between two seen classes."""

    PREPARATIONS: ClassVar[Sequence[Preparation]] = (*PREPARATIONS, *WHITENED)
    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {
        "ridge": tuple(10.0**k for k in range(-2, 4)),
        "width": (0.35, 0.7, 1.4, 2.8),
    }

    def __post_init__(self) -> None:
        check_positive("KernelRidge", ridge=self.ridge, width=self.width)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Solve on the seen classes."""
        return self.solve(Statistics.of(train, classes), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        s, counts, means = _examples(statistics, classes)
        rate = bump_rate(s, self.width)
        weights = solve_kernel_ridge(np.exp(-rate * cdist(s, s, "sqeuclidean")), counts, means, self.ridge)
        layers = radial_basis(s, rate=rate), linear(weights).layers[0]
        project = keras.Sequential([keras.Input((s.shape[1],)), *layers], name="project")
        similarity = Cosine(name="cosine")
        return Classifier(identity(weights.shape[1]), classes, project=project, similarity=similarity)

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range from one pass."""
        s, counts, means = _examples(Statistics.of(train, classes), classes)
        squares, a = cdist(np.concatenate([s, classes.semantics]), s, "sqeuclidean"), normalize(x)
        for ridge, width in itertools.product(self.SEARCH["ridge"], self.SEARCH["width"]):
            setting = replace(self, ridge=ridge, width=width)
            kernel = np.exp(-bump_rate(s, width) * squares)
            weights = solve_kernel_ridge(kernel[: len(s)], counts, means, ridge)
            yield setting, a @ normalize(kernel[len(s) :] @ weights).T


def solve_kernel_ridge(
    kernel: Float[np.ndarray, "S S"], counts: Float[np.ndarray, " S"], means: Float[np.ndarray, "S D"], ridge: float
) -> Float[np.ndarray, "S D"]:
    """Return the weights V of the seen classes, (K + l diag(1 / n)) V = means, for prototypes k(s) V.

    Args:
        kernel: K, of each seen class with each.
        counts: n, images of each.
        means: of their features.
        ridge: l, > 0.
    """
    return solve(kernel + np.diag(ridge / counts), means, assume_a="pos")


def _examples(statistics: Statistics, classes: ClassTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Attributes, number of images and mean features of each class that has images."""
    known = statistics.counts > 0
    return classes.semantics[known].astype(np.float64), statistics.counts[known], statistics.means[known]
