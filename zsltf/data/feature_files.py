"""Features of a labelled source and of a target, in `.npy` files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from zsltf.checks import check_finite, check_shape, fail
from zsltf.data.classes import ClassTable
from zsltf.data.collection import named_classes
from zsltf.data.features import Features
from zsltf.data.labels import class_rows
from zsltf.data.npy import read_npy

__all__ = ["FeatureFiles", "SourceAndTarget"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceAndTarget:
    """Labelled examples, and examples of the same classes from elsewhere."""

    source: Features
    classes: ClassTable
    target: Float[np.ndarray, "M D"]
    truth: Int[np.ndarray, " M"] | None
    """Labels of the target, where they are known; nothing is fitted to them."""


@dataclass(frozen=True, kw_only=True)
class FeatureFiles:
    """Files of the source's and the target's features, made by the same network."""

    source_features: Path
    """.npy of shape (N, D)."""
    source_labels: Path
    """.npy of N integers, the rows of the class table."""
    target_features: Path
    """.npy of shape (M, D)."""
    target_labels: Path | None = None
    """.npy of M integers, to measure the accuracy by."""
    classes: Path | None = None
    """CSV: class, then one column an attribute, if any; by default a class is called by its number."""

    def read(self) -> SourceAndTarget:
        """Read and check.

        Raises:
            ValueError: if a file is missing, shapes differ, or a label is no class.
        """
        x = _vectors(self.source_features)
        y = _labels(self.source_labels, len(x))
        target = _vectors(self.target_features)
        check_shape(str(self.target_features), target, (None, x.shape[1]), "Take the same network for both.")
        truth = None if self.target_labels is None else _labels(self.target_labels, len(target))
        table = _numbered(self.source_labels, y) if self.classes is None else ClassTable.from_csv(self.classes)
        return SourceAndTarget(
            source=Features(x=x, y=class_rows(y, len(table))),
            classes=table,
            target=target,
            truth=None if truth is None else class_rows(truth, len(table)),
        )


def _vectors(path: Path) -> Float[np.ndarray, "N D"]:
    x = read_npy(path)
    if x.ndim != 2 or not x.size or x.dtype.kind not in "fiu":
        fail(str(path), "numbers of shape (N, D), N > 0", f"{x.dtype} of shape {x.shape}", "Give one row an image.")
    check_finite(str(path), x, "Check the network's weights and precision.")
    empty = np.flatnonzero(~x.any(axis=1))
    if len(empty):
        fail(str(path), "numbers other than 0 in every row", f"none in row {empty[0]}", "Leave that image out.")
    return x.astype(np.float32)


def _labels(path: Path, count: int) -> Int[np.ndarray, " N"]:
    y = read_npy(path)
    check_shape(str(path), y, (count,), "Give one label a row of the features.")
    if y.dtype.kind not in "iu" or y.min() < 0:
        received = f"{y.dtype}, {y.min()} for one" if y.dtype.kind == "i" else str(y.dtype)
        fail(str(path), "integers >= 0", received, "Give rows of the class table.")
    return y


def _numbered(path: Path, y: np.ndarray) -> ClassTable:
    count = len(np.unique(y))
    if y.max() >= count:
        fail(str(path), f"labels 0 to {count - 1}, for so many there are", str(y.max()), "Number them without a gap.")
    return named_classes([str(label) for label in range(count)])
