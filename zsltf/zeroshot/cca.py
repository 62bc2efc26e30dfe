"""Canonical correlation: images and class semantics into one space, in closed form."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float
from sklearn.preprocessing import normalize

from zsltf.checks import check_positive, check_share, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.similarities.cosine import Cosine
from zsltf.solvers.cca import canonical_directions
from zsltf.solvers.statistics import Statistics
from zsltf.solvers.whitening import whitening
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["CCA"]

Affine = tuple[Float[np.ndarray, "N K"], Float[np.ndarray, " K"]]


@dataclass(frozen=True, kw_only=True)
class CCA:
    """Two linear towers whose outputs correlate most over images and their classes' semantics; cosines are the scores.

    Source: Gong, Ke, Isard & Lazebnik, "A multi-view embedding space for modeling internet images, tags, and their
    semantics", IJCV 2014, whose weights by powers of the correlations these are.
    """

    feature_shrinkage: float = 0.1
    """Share of the features' mean variance in each direction's, in (0, 1)."""
    semantic_shrinkage: float = 0.1
    """The same for the semantics."""
    power: float = 1.0
    """Of the correlation that a common direction is multiplied by in either tower, >= 0; 0 counts all alike."""

    PREPARATIONS: ClassVar[Sequence[Preparation]] = (
        Preparation(centre=True, components=64, unit_norm=True, semantics="centred"),
        *COMPACT,
    )
    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {
        "feature_shrinkage": (0.01, 0.1, 0.3, 0.9),
        "semantic_shrinkage": (0.01, 0.1, 0.3, 0.9),
        "power": (0.0, 1.0, 2.0),
    }

    def __post_init__(self) -> None:
        for name in ("feature_shrinkage", "semantic_shrinkage"):
            check_positive("CCA", **{name: getattr(self, name)})
            check_share("CCA", **{name: getattr(self, name)})
        if not 0 <= self.power < np.inf:
            fail("CCA.power", "a number >= 0", f"{self.power:g}", "Start from the default.")

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Correlate over the seen classes."""
        return self.solve(Statistics.of(train, classes), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        embed, project = _Towers(statistics, classes).at(self)
        return Classifier(linear(*embed), classes, project=linear(*project), similarity=Cosine(name="cosine"))

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range from one pass."""
        towers = _Towers(Statistics.of(train, classes), classes)
        for values in itertools.product(*self.SEARCH.values()):
            setting = replace(self, **dict(zip(self.SEARCH, values, strict=True)))
            a, b = (
                rows @ kernel + bias
                for rows, (kernel, bias) in zip((x, classes.semantics), towers.at(setting), strict=True)
            )
            yield setting, normalize(a) @ normalize(b).T


class _Towers:
    """Both sides' means and covariances over the images."""

    def __init__(self, statistics: Statistics, classes: ClassTable) -> None:
        s, share = classes.semantics.astype(np.float64), statistics.counts / statistics.total
        self._means = statistics.mean, share @ s
        centred = s - self._means[1]
        features = statistics.gram.matrix / statistics.total - np.outer(statistics.mean, statistics.mean)
        covariances = features, centred.T @ (share[:, None] * centred)
        self._cross = statistics.sums.T @ centred / statistics.total
        self._whitening = cache(lambda side, shrinkage: whitening(covariances[side], shrinkage))

    def at(self, setting: CCA) -> tuple[Affine, Affine]:
        """Kernel and bias of either tower."""
        left, right = self._whitening(0, setting.feature_shrinkage), self._whitening(1, setting.semantic_shrinkage)
        u, v, correlations = canonical_directions(left, right, self._cross)
        weights = correlations**setting.power
        embed, project = (
            (kernel, -mean @ kernel) for kernel, mean in zip((u * weights, v * weights), self._means, strict=True)
        )
        return embed, project
