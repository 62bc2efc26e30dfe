"""SAE: features to attributes and back by one matrix."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self, get_args

import numpy as np
from jaxtyping import Float
from sklearn.preprocessing import normalize

from zsltf.checks import check_choice, check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity, linear
from zsltf.similarities.cosine import Cosine
from zsltf.solvers.gram import Gram
from zsltf.solvers.statistics import Statistics
from zsltf.training.preparation import Preparation
from zsltf.training.selection import PREPARATIONS, WHITENED

__all__ = ["SAE", "solve_sae"]

Direction = Literal["decode", "encode"]


@dataclass(frozen=True, kw_only=True)
class SAE:
    """Linear autoencoder with tied weights whose code is the attributes; classes are compared by the cosine.

    Source: Kodirov, Xiang & Gong, "Semantic autoencoder for zero-shot learning", CVPR 2017.
    """

    ridge: float = 1.0
    """Weight of the encoding's error against the decoding's (the paper's lambda), > 0, in squared feature units by
    squared attribute units."""
    direction: Direction = "decode"
    """`decode` turns a class's attributes into features and compares there, which makes fewer hubs; `encode` turns an
    image's features into attributes."""

    PREPARATIONS: ClassVar[Sequence[Preparation]] = (*PREPARATIONS, *WHITENED)
    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {"ridge": tuple(0.05 * 2.0**k for k in range(14))}

    def __post_init__(self) -> None:
        check_positive("SAE", ridge=self.ridge)
        check_choice("SAE.direction", self.direction, get_args(Direction))

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Solve on the seen classes."""
        return self.solve(Statistics.of(train, classes), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        kernel = solve_sae(*_problem(statistics, classes), self.ridge)
        cosine = Cosine(name="cosine")
        if self.direction == "encode":
            return Classifier(linear(kernel.T), classes, similarity=cosine)  # A = x W', B = S
        return Classifier(
            identity(kernel.shape[1]), classes, project=linear(kernel), similarity=cosine
        )  # A = x, B = S W

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range from one eigendecomposition a side."""
        problem, s = _problem(Statistics.of(train, classes), classes), classes.semantics
        for ridge in self.SEARCH["ridge"]:
            kernel = solve_sae(*problem, ridge)
            a, b = (x @ kernel.T, s) if self.direction == "encode" else (x, s @ kernel)
            yield replace(self, ridge=ridge), normalize(a) @ normalize(b).T


def solve_sae(code: Gram, gram: Gram, correlation: Float[np.ndarray, "A D"], ridge: float) -> Float[np.ndarray, "A D"]:
    """Return W that minimises |X - T W|^2 + l |X W' - T|^2: the solution of T'T W + l W X'X = (1 + l) T'X.

    Both sides' eigenvectors turn this Sylvester equation into one division an entry.

    Args:
        code: T'T of the attributes T (N, A) of each image's class.
        gram: X'X of the images' features X (N, D).
        correlation: T'X.
        ridge: l, > 0.
    """
    (p, u), (q, v) = code.spectrum, gram.spectrum
    middle = (1 + ridge) * (u.T @ correlation @ v) / np.add.outer(p, ridge * q)
    return u @ middle @ v.T


def _problem(statistics: Statistics, classes: ClassTable) -> tuple[Gram, Gram, Float[np.ndarray, "A D"]]:
    s = classes.semantics[classes.seen].astype(np.float64)
    code = Gram(np.sqrt(statistics.counts[classes.seen])[:, None] * s)
    return code, statistics.gram, s.T @ statistics.sums[classes.seen]
