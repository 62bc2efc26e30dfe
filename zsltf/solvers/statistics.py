"""One pass over features: all that the closed forms need to know of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from zsltf.checks import check_shape, fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.files import atomic_file
from zsltf.solvers.gram import Gram

__all__ = ["Statistics"]

_ROWS = 4096
_ROUNDING = 1e-13
"""What is less, as a share of the sums that it is a difference of, is not there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Statistics:
    """Weighted sums over examples, in float64: those of two parts of the data add up to those of both.

    So batches, files and workers merge by `+`, and `-` takes examples or whole classes out again.
    """

    gram: Gram
    """X'X (D, D)."""
    sums: Float[np.ndarray, "C D"]
    """Of each class's features."""
    squares: Float[np.ndarray, "C D"]
    """Of each class's squared features."""
    counts: Float[np.ndarray, " C"]
    """Of each class's weights: the number of its examples where no weights are given."""

    @classmethod
    def of(cls, features: Features, classes: ClassTable, *, unseen: bool = False) -> Self:
        """Of features (N, D), which may be memory-mapped: they are read a piece at a time.

        Args:
            features: the examples.
            classes: their table.
            unseen: classes that the table marks unseen may have examples.

        Raises:
            ValueError: for feature maps, a label that is no row of the table, or one of an unseen class.
        """
        features.check_vectors("a closed form")
        if not unseen:
            features.check_seen(classes)
        x, y, weights = features.x, features.y, features.weights
        pieces = (slice(start, start + _ROWS) for start in range(0, len(x), _ROWS))
        return cls.of_batches(((x[at], y[at], weights[at]) for at in pieces), len(classes))

    @classmethod
    def of_batches(cls, batches: Iterable[tuple[np.ndarray, ...]], num_classes: int) -> Self:
        """Of batches (x, y) or (x, y, weights), as they come.

        Raises:
            ValueError: if there is none, or a label is out of range.
        """
        parts = (cls._of_batch(num_classes, *batch) for batch in batches)
        first = next(parts, None)
        if first is None:
            fail("Statistics", "at least one batch", "none", "Check the source of the features.")
        return reduce(add, parts, first)

    @classmethod
    def _of_batch(cls, num_classes: int, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> Self:
        x = np.asarray(x, np.float64)
        if y.min() < 0 or y.max() >= num_classes:
            fail("y", f"labels in [0, {num_classes})", f"{y.min()} to {y.max()}", "Give rows of the ClassTable.")
        weight = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
        of_class = csr_array((weight, (y, np.arange(len(y)))), shape=(num_classes, len(y)))
        return cls(
            gram=Gram(x if weights is None else x * np.sqrt(weight)[:, None]),
            sums=of_class @ x,
            squares=of_class @ x**2,
            counts=np.bincount(y, weights=weight, minlength=num_classes),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            rest = {name: file[name] for name in ("sums", "squares", "counts")}
            return cls(gram=Gram(file["gram"], squared=True), **rest)

    def save(self, path: Path) -> None:
        """Write a .npz, for another worker to add to its own."""
        with atomic_file(path) as staging, staging.open("wb") as file:
            np.savez(file, gram=self.gram.matrix, sums=self.sums, squares=self.squares, counts=self.counts)

    def __add__(self, other: Self) -> Self:
        self._check_like(other)
        return type(self)(
            gram=self.gram + other.gram,
            sums=self.sums + other.sums,
            squares=self.squares + other.squares,
            counts=self.counts + other.counts,
        )

    def __sub__(self, other: Self) -> Self:
        """Without the other's examples; a class whose weight comes to rounding alone has none left."""
        self._check_like(other)
        counts, least = self.counts - other.counts, _ROUNDING * self.counts
        if (counts < -least).any():
            label = int(np.argmax(-least - counts))
            received = f"{other.counts[label]:g} of class {label}, which has {self.counts[label]:g}"
            fail("Statistics", "a part of the examples to take out", received, "Take out what was added.")
        left = counts > least
        return type(self)(
            gram=self.gram - other.gram,
            sums=np.where(left[:, None], self.sums - other.sums, 0.0),
            squares=np.where(left[:, None], self.squares - other.squares, 0.0),
            counts=np.where(left, counts, 0.0),
        )

    def _check_like(self, other: Self) -> None:
        check_shape("Statistics", other.sums, self.sums.shape, "Count the same classes and features in every part.")

    @property
    def total(self) -> float:
        """The sum of all weights."""
        return float(self.counts.sum())

    @property
    def mean(self) -> Float[np.ndarray, " D"]:
        """Of all examples."""
        return self.sums.sum(axis=0) / self.total

    @cached_property
    def means(self) -> Float[np.ndarray, "C D"]:
        """Of each class; NaN for a class without weight."""
        return self._per_example(self.sums)

    @cached_property
    def variances(self) -> Float[np.ndarray, "C D"]:
        """Of each class and feature, by its own mean; NaN for a class without weight."""
        squares = self._per_example(self.squares)
        variances = squares - self.means**2
        return np.where(variances <= _ROUNDING * squares, 0.0, variances)

    def within(self) -> Float[np.ndarray, "D D"]:
        """Covariance of the examples around their class's mean, over all classes; zeros if that is rounding alone."""
        present = self.counts > 0
        between = (self.sums[present].T / self.counts[present]) @ self.sums[present]
        within = self.gram.matrix - between
        least = _ROUNDING * len(within) * np.trace(self.gram.matrix)  # in any of the directions
        return within / self.total if np.trace(within) > least else np.zeros_like(within)

    def _per_example(self, sums: Float[np.ndarray, "C D"]) -> Float[np.ndarray, "C D"]:
        counts = self.counts[:, None]
        return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
