"""Labels at the door: integers or one-hot become rows of the table, several labels an image become multi-hot."""

import numpy as np
from jaxtyping import Float, Int

from zsltf.checks import fail
from zsltf.data.images import Labels

__all__ = ["class_counts", "class_rows", "multi_hot", "strata"]


def class_rows(y: np.ndarray, num_classes: int, what: str = "labels") -> Int[np.ndarray, " N"]:
    """One label an image as rows of the ClassTable.

    Args:
        y: integers (N,) or (N, 1), or one-hot (N, C) of any type.
        num_classes: C.
        what: what an error calls them.

    Raises:
        ValueError: if a label is outside the table, or a row is not one-hot; the first is named.
    """
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == num_classes and num_classes > 1:
        return _from_one_hot(y, what)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        expected = f"integers (N,), or one-hot (N, {num_classes})"
        fail(what, expected, f"{y.dtype} {y.shape}", "Give rows of the ClassTable.")
    outside = np.flatnonzero((y < 0) | (y >= num_classes))
    if len(outside):
        received = f"{y[outside[0]]} for image {outside[0]}"
        fail(what, f"rows 0 to {num_classes - 1} of the ClassTable", received, "Mend the label or add the class.")
    return y.astype(np.int64)


def multi_hot(y: np.ndarray, num_classes: int, what: str = "labels") -> Float[np.ndarray, "N C"]:
    """Any number of labels an image as 0 and 1, float32.

    Raises:
        ValueError: if the shape is not (N, C), or a number is neither 0 nor 1; the first is named.
    """
    y = np.asarray(y)
    if y.ndim != 2 or y.shape[1] != num_classes:
        fail(what, f"multi-hot (N, {num_classes})", f"shape {y.shape}", "Give one column a class.")
    _check_binary(y, what)
    return y.astype(np.float32)


def class_counts(y: Labels, num_classes: int) -> Int[np.ndarray, " C"]:
    """Images of each class."""
    return np.bincount(y, minlength=num_classes) if y.ndim == 1 else np.count_nonzero(y, axis=0)


def strata(y: Labels) -> Int[np.ndarray, " N"]:
    """What to stratify by: the class where each image has one, however it is written; else all images are alike."""
    if y.ndim == 1:
        return y
    one_hot = bool((np.count_nonzero(y, axis=1) == 1).all())
    return y.argmax(axis=1) if one_hot else np.zeros(len(y), np.int64)


def _from_one_hot(y: np.ndarray, what: str) -> np.ndarray:
    _check_binary(y, what)
    others = np.flatnonzero(np.count_nonzero(y, axis=1) != 1)
    if len(others):
        received = f"{np.count_nonzero(y[others[0]])} for image {others[0]}"
        fail(what, "a single 1 a row of one-hot labels", received, "Take a multi-label head for several.")
    return y.argmax(axis=1)


def _check_binary(y: np.ndarray, what: str) -> None:
    others = np.argwhere((y != 0) & (y != 1))
    if len(others):
        row, column = others[0]
        fail(what, "0 or 1", f"{y[row, column]:g} for image {row}, class {column}", "Threshold soft labels.")
