"""Linear discriminant analysis: the closed-form head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.similarities.distance import Distance
from zsltf.solvers.statistics import Statistics
from zsltf.solvers.whitening import whitening

__all__ = ["LinearDiscriminant"]


@dataclass(frozen=True, kw_only=True)
class LinearDiscriminant:
    """Equally likely Gaussian classes with one covariance, from a single pass over the features.

    Whitened features are compared with whitened class means, so that a new class is the mean of a few photos.

    Source: Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 1936.
    """

    shrinkage: float = 0.1
    """Share of the mean variance in the covariance, in (0, 1]."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {"shrinkage": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)}

    def __post_init__(self) -> None:
        if not 0 < self.shrinkage <= 1:
            fail("LinearDiscriminant.shrinkage", "a share in (0, 1]", f"{self.shrinkage:g}", "Start from the default.")

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Solve; every class needs an example."""
        train.check_vectors("LinearDiscriminant")
        train.check_covers(classes)
        return self.solve(Statistics.of(train, classes, unseen=True), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        kernel, centre = whitening(statistics.within(), self.shrinkage), statistics.mean
        means = (statistics.means - centre) @ kernel
        embed = linear(kernel, -centre @ kernel)
        return Classifier(
            embed, classes, similarity=Distance(scale=0.5), class_vectors=means.astype(np.float32), opens_by=("photos",)
        )
