"""SYNC: classifiers of unseen classes, synthesised from those of seen classes with similar attributes."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import keras
import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist
from scipy.special import softmax

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.layers.append_one import AppendOne
from zsltf.layers.radial_basis import radial_basis
from zsltf.solvers.distances import bump_rate
from zsltf.solvers.linear_heads import linear_heads
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["SYNC"]


@dataclass(frozen=True, kw_only=True)
class SYNC:
    """One-versus-rest classifiers of the seen classes, re-expressed by base classifiers that sit at the seen classes.

    A class's classifier is the mixture of base classifiers whose attributes are near its own.

    Source: Changpinyo, Chao, Gong & Sha, "Synthesized classifiers for zero-shot learning", CVPR 2016 (one-versus-other,
    bases at the seen classes).
    """

    penalty: float = 1e-3
    """Of the classifiers' squared weights, > 0, against the mean squared hinge loss of an image."""
    width: float = 1.0
    """How far a base reaches, > 0, as a multiple of the median distance between two seen classes."""

    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {
        "penalty": (1e-4, 1e-3, 1e-2, 1e-1),
        "width": (0.18, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0),
    }

    def __post_init__(self) -> None:
        check_positive("SYNC", penalty=self.penalty, width=self.width)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Fit the seen classes' classifiers and solve for the bases."""
        train.check_vectors("SYNC")
        train.check_seen(classes)
        train = train.counted()
        known = np.unique(train.y)
        s = classes.semantics[known].astype(np.float64)
        rate = bump_rate(s, self.width)
        bases = self._bases(cdist(s, s, "sqeuclidean"), rate, _heads(train, known, self.penalty))
        width = train.x.shape[1]
        layers = radial_basis(s, rate=rate, normalised=True), *linear(bases).layers
        return Classifier(
            keras.Sequential([keras.Input((width,)), AppendOne()], name="embed"),
            classes,
            project=keras.Sequential([keras.Input((s.shape[1],)), *layers], name="project"),
        )

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range; the seen classes' classifiers are fitted once a penalty."""
        train.check_vectors("SYNC")
        train.check_seen(classes)
        train = train.counted()
        known = np.unique(train.y)
        s = classes.semantics[known].astype(np.float64)
        squares, among = cdist(classes.semantics, s, "sqeuclidean"), cdist(s, s, "sqeuclidean")
        heads = {penalty: _heads(train, known, penalty) for penalty in self.SEARCH["penalty"]}
        for penalty, width in itertools.product(self.SEARCH["penalty"], self.SEARCH["width"]):
            setting = replace(self, penalty=penalty, width=width)
            rate = bump_rate(s, width)
            vectors = softmax(-rate * squares, axis=1) @ setting._bases(among, rate, heads[penalty])
            yield setting, x @ vectors[:, :-1].T + vectors[:, -1]

    def _bases(
        self, squares: Float[np.ndarray, "S S"], rate: float, heads: Float[np.ndarray, "S D+1"]
    ) -> Float[np.ndarray, "S D+1"]:
        """The base classifiers whose mixtures are the seen classes' own."""
        return np.linalg.pinv(softmax(-rate * squares, axis=1), rcond=1e-4) @ heads


def _heads(train: Features, known: np.ndarray, penalty: float) -> Float[np.ndarray, "S D+1"]:
    targets = (train.y[:, None] == known).astype(float)
    return linear_heads(train.x, targets, train.weights, penalty, "squared_hinge").T
