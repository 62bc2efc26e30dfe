"""The seams: what a method takes and returns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from jaxtyping import Float

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features

__all__ = ["GridMethod", "Method"]


class Method(Protocol):
    """A frozen dataclass of hyper-parameters that makes a Classifier from features."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]]
    """Field -> the values that selection tries."""

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Learn from examples of seen classes; every label is a row of `classes`."""
        ...


@runtime_checkable
class GridMethod(Method, Protocol):
    """A method that scores its whole search range faster than by fitting each setting."""

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """Each setting of the search range, and its scores of x against all classes."""
        ...
