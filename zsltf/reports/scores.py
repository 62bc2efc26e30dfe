"""A classifier's answers as a table."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

__all__ = ["write_scores"]


def write_scores(
    path: Path, names: Sequence[str], scores: Float[np.ndarray, "N C"], truth: Int[np.ndarray, " N"] | None = None
) -> None:
    """A CSV: row, label (row of the class table), class, its true class where known, and the score of each class.

    Args:
        path: a new file.
        names: of the C classes.
        scores: the highest one is the answer.
        truth: true label of each row.
    """
    labels = scores.argmax(axis=1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "label", "class", "truth", *(f"score {name}" for name in names)))
        for row, (label, line) in enumerate(zip(labels, scores, strict=True)):
            true = "" if truth is None else names[truth[row]]
            writer.writerow((row, label, names[label], true, *(f"{score:.6g}" for score in line)))
