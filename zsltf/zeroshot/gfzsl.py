"""GFZSL: each class is a Gaussian whose mean and variances follow from its attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import keras
import numpy as np
from jaxtyping import Float

from zsltf.checks import check_positive, check_share
from zsltf.classifier import Classifier, linear
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
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
        counts, known = statistics.counts, statistics.counts > 0
        centre, variance = statistics.mean, log_variances(statistics, self.shrinkage)
        means = np.where(known[:, None], statistics.means - centre, 0.0)
        level = np.average(variance[known], axis=0, weights=counts[known])
        deviation = np.where(known[:, None], variance - level, 0.0)
        weights = [
            solve_ridge(classes.semantics, counts, counts[:, None] * targets, ridge)
            for targets, ridge in ((means, self.mean_ridge), (deviation, self.variance_ridge))
        ]
        regression = linear(np.concatenate(weights, axis=1), np.concatenate([np.zeros_like(level), level]))
        project = keras.Sequential([*regression.layers, GaussianVectors()], name="project")
        project.build((None, classes.semantics.shape[1]))
        embed = keras.Sequential([keras.Input(centre.shape), centring(centre), Squares(), AppendOne()], name="embed")
        expected = regression(classes.semantics)
        parameters = np.where(known[:, None], np.concatenate([means, level + deviation], axis=1), expected)
        return Classifier(embed, classes, project=project, class_vectors=np.asarray(GaussianVectors()(parameters)))


def log_variances(statistics: Statistics, shrinkage: float) -> Float[np.ndarray, "C D"]:
    """Logarithm of each class's variances, mixed with those over all classes; NaN for a class without images.

    A feature that hardly varies is given a hundredth of the features' mean variance, or it would decide alone.
    """
    known = statistics.counts > 0
    pooled = np.average(statistics.variances[known], axis=0, weights=statistics.counts[known])
    mixed = (1 - shrinkage) * statistics.variances + shrinkage * pooled
    return np.log(np.maximum(mixed, 0.01 * pooled.mean() or 1.0))
