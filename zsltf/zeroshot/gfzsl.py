"""GFZSL: each class is a Gaussian whose mean and variances follow from its attributes."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import keras
import numpy as np
from jaxtyping import Float

from zsltf.checks import check_positive, check_share
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.layers.append_one import AppendOne
from zsltf.layers.centre import centring
from zsltf.layers.gaussian import GaussianVectors, Squares
from zsltf.solvers.ridge import solve_ridge
from zsltf.solvers.statistics import Statistics

__all__ = ["GFZSL", "log_variances"]


@dataclass(frozen=True, kw_only=True)
class GFZSL:
    """Diagonal Gaussians: measured for classes with images, regressed on the attributes for the others.

    Source: Verma & Rai, "A simple exponential family framework for zero-shot learning", ECML 2017.
    """

    mean_ridge: float = 10.0
    """Penalty of the regression of the means, > 0, in examples times squared attribute units."""
    variance_ridge: float = 100.0
    """Penalty of the regression of the log-variances, > 0, in the same unit."""
    shrinkage: float = 0.5
    """Share of the variance over all classes in each class's own, in [0, 1)."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {
        "mean_ridge": tuple(10.0**k for k in range(-1, 4)),
        "variance_ridge": (10.0, 1000.0),
        "shrinkage": (0.1, 0.5, 0.9),
    }

    def __post_init__(self) -> None:
        check_positive("GFZSL", mean_ridge=self.mean_ridge, variance_ridge=self.variance_ridge)
        check_share("GFZSL", shrinkage=self.shrinkage)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Measure and regress on the seen classes."""
        return self.solve(Statistics.of(train, classes), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        centre, kernel, bias, parameters = self._gaussians(statistics, classes)
        project = keras.Sequential([*linear(kernel, bias).layers, GaussianVectors()], name="project")
        project.build((None, len(classes.columns)))
        embed = keras.Sequential([keras.Input(centre.shape), centring(centre), Squares(), AppendOne()], name="embed")
        return Classifier(embed, classes, project=project, class_vectors=np.asarray(GaussianVectors()(parameters)))

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range from one pass."""
        statistics = Statistics.of(train, classes)
        a = AppendOne()(Squares()((x - statistics.mean).astype(np.float32)))
        for values in itertools.product(*self.SEARCH.values()):
            setting = replace(self, **dict(zip(self.SEARCH, values, strict=True)))
            parameters = setting._gaussians(statistics, classes)[-1]
            yield setting, np.asarray(a) @ np.asarray(GaussianVectors()(parameters)).T

    def _gaussians(
        self, statistics: Statistics, classes: ClassTable
    ) -> tuple[
        Float[np.ndarray, " D"], Float[np.ndarray, "A 2*D"], Float[np.ndarray, " 2*D"], Float[np.ndarray, "C 2*D"]
    ]:
        """The mean of all, kernel and bias from attributes to [mean, log-variance] around it, each class's own."""
        counts, known, centre = statistics.counts, statistics.counts[:, None] > 0, statistics.mean
        variance = log_variances(statistics, self.shrinkage)
        level = np.average(variance[known[:, 0]], axis=0, weights=counts[known[:, 0]])
        means, deviation = (np.where(known, of - by, 0.0) for of, by in ((statistics.means, centre), (variance, level)))
        weights = [
            solve_ridge(classes.semantics, counts, counts[:, None] * targets, ridge)
            for targets, ridge in ((means, self.mean_ridge), (deviation, self.variance_ridge))
        ]
        kernel, bias = np.concatenate(weights, axis=1), np.concatenate([np.zeros_like(level), level])
        measured = np.concatenate([means, level + deviation], axis=1)
        return centre, kernel, bias, np.where(known, measured, classes.semantics @ kernel + bias)


def log_variances(statistics: Statistics, shrinkage: float) -> Float[np.ndarray, "C D"]:
    """Logarithm of each class's variances, mixed with those over all classes; NaN for a class without images.

    A feature that hardly varies is given a hundredth of the features' mean variance, or it would decide alone.
    """
    known = statistics.counts > 0
    pooled = np.average(statistics.variances[known], axis=0, weights=statistics.counts[known])
    mixed = (1 - shrinkage) * statistics.variances + shrinkage * pooled
    return np.log(np.maximum(mixed, 0.01 * pooled.mean() or 1.0))
