"""Attributes that nobody wrote down."""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_choice, fail

__all__ = ["Missing", "filled"]

Missing = Literal["refuse", "mean", "keep"]


def filled(rows: Float[np.ndarray, "C A"], missing: Missing, what: str) -> Float[np.ndarray, "C A"]:
    """Attributes with those marked -1 filled in, as AwA marks them.

    A table counts as marked when its only negative number is -1 and it isn't one of -1 and +1.

    Args:
        rows: one a class.
        missing: "refuse" raises, "mean" puts the mean of the column's other classes, "keep" takes -1 for a value.
        what: for the error.

    Raises:
        ValueError: if something is missing and that is refused, or every class lacks an attribute.
    """
    check_choice("missing", missing, get_args(Missing))
    marked = rows == -1
    if missing == "keep" or not marked.any() or (rows[~marked] < 0).any() or np.isin(rows, (-1, 1)).all():
        return rows
    if missing == "refuse":
        row, column = (int(i) for i in np.argwhere(marked)[0])
        received = f"{marked.sum()} marked -1 (missing), the first in row {row + 1}, column {column + 1}"
        fail(what, "every attribute of every class", received, "Fill them in, or say missing mean or keep.")
    if marked.all(axis=0).any():
        column = int(marked.all(axis=0).argmax()) + 1
        fail(what, "an attribute that some class has", f"column {column} without any", "Remove the column.")
    mean = np.where(marked, 0.0, rows).sum(axis=0) / (~marked).sum(axis=0)
    return np.where(marked, mean, rows)
