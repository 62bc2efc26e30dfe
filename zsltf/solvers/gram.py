"""X'X and its spectrum, by whichever side of X is shorter."""

from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

__all__ = ["Gram"]


class Gram:
    """X'X (D, D) in float64, for an X of any number of rows; Grams of two parts add up to that of both.

    While X has fewer rows than columns, X itself is kept, which is smaller and decomposes faster: 5 times for 600
    images of 1280 features.

    Args:
        data: X (N, D), or X'X (D, D) if squared.
        squared: which of the two it is.
    """

    def __init__(self, data: Float[np.ndarray, "N D"], *, squared: bool = False) -> None:
        data = np.asarray(data, np.float64)
        tall = not squared and len(data) >= data.shape[1]
        self._data: np.ndarray = data.T @ data if tall else data
        self._squared = squared or tall

    @cached_property
    def matrix(self) -> Float[np.ndarray, "D D"]:
        """X'X."""
        return self._data if self._squared else self._data.T @ self._data

    def __add__(self, other: "Gram") -> "Gram":
        if self._squared or other._squared:
            return Gram(self.matrix + other.matrix, squared=True)
        return Gram(np.concatenate([self._data, other._data]))

    def __sub__(self, other: "Gram") -> "Gram":
        """Of the rows that the other doesn't have; it must hold some of these."""
        return Gram(self.matrix - other.matrix, squared=True)

    @cached_property
    def spectrum(self) -> tuple[Float[np.ndarray, " R"], Float[np.ndarray, "D R"]]:
        """Positive eigenvalues of X'X, falling, and their eigenvectors; R is X's numerical rank."""
        x = self._data
        values, vectors = eigh(x if self._squared else x @ x.T, driver="evd")
        kept = np.flatnonzero(values > max(values[-1], 0.0) * x.shape[1] * np.finfo(np.float64).eps)[::-1]
        values, vectors = values[kept], vectors[:, kept]
        return values, vectors if self._squared else x.T @ vectors / np.sqrt(values)
