"""Attributes that nobody wrote down, or that two classes share."""

import warnings
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool

from zsltf.checks import check_choice, fail
from zsltf.data.classes import ClassTable

__all__ = ["Missing", "check_given", "filled", "read_new_classes"]

Missing = Literal["refuse", "mean", "keep"]


def filled(classes: ClassTable, missing: Missing, what: str) -> ClassTable:
    """The table with attributes marked -1 filled in, as AwA marks them.

    A table counts as marked when its only negative number is -1 and it isn't one of -1 and +1.

    Args:
        classes: under the partition that training will have.
        missing: "refuse" raises, "mean" puts the mean of the column's other seen classes, "keep" takes -1 for a value.
        what: for the error.

    Raises:
        ValueError: if a class has no attribute, something is missing and that is refused, or every seen class lacks an
            attribute.

    Warns:
        UserWarning: of classes that the columns can't tell apart.
    """
    check_choice("missing", missing, get_args(Missing))
    rows, marked = classes.semantics, classes.semantics == -1
    if missing == "keep" or (rows[~marked] < 0).any() or np.isin(rows, (-1, 1)).all():
        marked = np.zeros_like(marked)
    if missing == "refuse":
        _check_none(classes, marked, what, "Fill them in, or say missing mean or keep.")
    _check_described(classes, marked, what)
    _tell_twins(what, classes)
    if not marked.any():
        return classes
    known = ~marked[classes.seen]
    if not known.any(axis=0).all():
        column = classes.columns[int(known.any(axis=0).argmin())]
        fail(what, "attributes that some seen class has", f"column {column} without any", "Remove the column.")
    mean = np.where(known, rows[classes.seen].astype(np.float64), 0.0).sum(axis=0) / known.sum(axis=0)
    return classes.with_semantics(np.where(marked, mean, rows))


def read_new_classes(path: Path, known: ClassTable) -> ClassTable:
    """Rows of classes that training didn't have.

    Args:
        path: CSV: class, then the columns of the known classes.
        known: classes that the model has.

    Raises:
        ValueError: for what `check_given` refuses.
    """
    new = ClassTable.from_csv(path)
    check_given(new, known, str(path))
    return new.with_seen(np.zeros(len(new), bool))


def check_given(new: ClassTable, known: ClassTable, what: str) -> None:
    """Refuse classes without semantics, and -1 (missing) where no known class has a negative number."""
    marked = np.zeros(new.semantics.shape, bool) if (known.semantics < 0).any() else new.semantics == -1
    _check_none(new, marked, what, "Fill them in: the model takes every number for a value.")
    _check_described(new, marked, what)


def _check_none(classes: ClassTable, marked: Bool[np.ndarray, "C A"], what: str, fix: str) -> None:
    if marked.any():
        row, column = (int(i) for i in np.argwhere(marked)[0])
        first = f"{classes.columns[column]} of {classes.names[row]}"
        fail(what, "every attribute of every class", f"{marked.sum()} marked -1 (missing), the first {first}", fix)


def _check_described(classes: ClassTable, marked: Bool[np.ndarray, "C A"], what: str) -> None:
    rows = classes.semantics
    if not rows.shape[1]:
        return
    for nothing, content in ((rows == 0, "zeros"), (marked, "-1 (missing)")):
        empty = [name for name, row in zip(classes.names, nothing, strict=True) if row.all()]
        if empty:
            fail(what, "semantics of every class", f"only {content} for {', '.join(empty[:5])}", "Fill them in.")


def _tell_twins(what: str, classes: ClassTable) -> None:
    """Warn of classes with equal rows; where all are equal that is refused elsewhere."""
    rows = classes.semantics
    if not rows.shape[1] or (rows == rows[0]).all():
        return
    _, group, count = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    twins = [np.flatnonzero(group == one)[:5] for one in np.flatnonzero(count > 1)]
    if twins:
        named = "; ".join(" and ".join(classes.names[int(i)] for i in same) for same in twins[:5])
        told = f"{what}: no column tells these classes apart: {named}. Mend a row, or leave a class out."
        warnings.warn(told, stacklevel=3)
