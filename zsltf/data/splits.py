"""Rows for training, validation and test: by column, by fraction, by fold, and never one group on two sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Int

from zsltf.checks import check_share, fail
from zsltf.data.images import Labels
from zsltf.data.k_folds import k_folds
from zsltf.data.labels import class_counts
from zsltf.data.shares import random_share

__all__ = ["PARTS", "PART_NAMES", "Split", "split_by_fold", "split_by_fraction", "split_by_part"]

PARTS = ("train", "validation", "test")
PART_NAMES = {**{part: part for part in PARTS}, "val": "validation", "valid": "validation"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Which images are for what.

    Raises:
        ValueError: if an image is in two parts, or none is for training.
    """

    train: Int[np.ndarray, " T"]
    """Rows of the images."""
    validation: Int[np.ndarray, " V"]
    """Rows to choose settings and the best epoch on; may be none."""
    test: Int[np.ndarray, " E"]
    """Rows that nothing is chosen on; may be none."""

    def __post_init__(self) -> None:
        if not len(self.train):
            fail("split", "images for training", "none", "Call one part train.")
        for (first, rows), (second, others) in combinations(self.parts().items(), 2):
            common = np.intersect1d(rows, others)
            if len(common):
                received = f"image {common[0]} in {first} and {second}"
                fail("split", "each image in one part", received, "Mend the split.")

    def parts(self) -> dict[str, np.ndarray]:
        """Name -> rows of each part that holds images."""
        named = {part: np.asarray(getattr(self, part), np.int64) for part in PARTS}
        return {part: rows for part, rows in named.items() if len(rows)}

    def check_classes(self, y: Labels, names: Sequence[str]) -> None:
        """Refuse a part without an image of a class."""
        for part, rows in self.parts().items():
            empty = [name for name, count in zip(names, class_counts(y[rows], len(names)), strict=True) if not count]
            if empty:
                fix = "Add photos, drop the class, or choose other fractions or another seed."
                fail(f"split {part}", "an image of every class", f"none of {', '.join(empty[:5])}", fix)

    def check_groups(self, group: np.ndarray | None) -> None:
        """Refuse a group (patient, machine, site) on two sides."""
        if group is None:
            return
        for (first, rows), (second, others) in combinations(self.parts().items(), 2):
            common = np.intersect1d(group[rows], group[others])
            if len(common):
                received = f"'{common[0]}' in {first} and {second}"
                fail("split", "each group in one part", received, "Mend the column split, or leave it out.")

    def carve(
        self, y: Labels, *, validation: float = 0.0, test: float = 0.0, seed: int = 0, group: np.ndarray | None = None
    ) -> "Split":
        """Take each part that is empty out of the training rows.

        Args:
            y: labels of all images; each class is shared out alike.
            validation: share of the training rows, in [0, 1).
            test: share of the training rows, in [0, 1).
            seed: the same seed gives the same rows.
            group: of all images; a group stays on one side.

        Raises:
            ValueError: if the shares leave nothing to train on, or there is a single group.
        """
        check_share("split", validation=validation, test=test)
        if validation + test >= 1:
            fail("split", "validation + test < 1", f"{validation:g} + {test:g}", "Leave some images for training.")
        test_share = 0.0 if len(self.test) else test
        validation_share = 0.0 if len(self.validation) else validation / (1 - test_share)
        train, taken_test = _take(self.train, y, test_share, seed, group)
        train, taken = _take(train, y, validation_share, seed, group)
        return Split(
            train=train,
            validation=np.sort(np.concatenate([self.validation, taken])),
            test=np.sort(np.concatenate([self.test, taken_test])),
        )


def _take(
    rows: np.ndarray, y: Labels, share: float, seed: int, group: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The rows that stay and the rows that are taken."""
    if share == 0:
        return rows, rows[:0]
    taken = random_share(y[rows], share, seed, None if group is None else group[rows])
    return rows[~taken], rows[taken]


def split_by_part(parts: Sequence[str]) -> Split:
    """The split that a column of train, validation and test says."""
    column = np.array(parts)
    train, validation, test = (np.flatnonzero(column == part) for part in PARTS)
    return Split(train=train, validation=validation, test=test)


def split_by_fraction(
    y: Labels, *, validation: float = 0.2, test: float = 0.2, seed: int = 0, group: np.ndarray | None = None
) -> Split:
    """Draw validation and test at random, from each class alike; see Split.carve."""
    none = np.zeros(0, np.int64)
    everything = Split(train=np.arange(len(y)), validation=none, test=none)
    return everything.carve(y, validation=validation, test=test, seed=seed, group=group)


def split_by_fold(
    y: Labels,
    names: Sequence[str],
    fold: int,
    *,
    num_folds: int = 5,
    validation: float = 0.0,
    seed: int = 0,
    group: np.ndarray | None = None,
) -> Split:
    """Test on one fold and train on the others, less the share `validation` of them; see k_folds and Split.carve."""
    folds = k_folds(y, names, num_folds=num_folds, seed=seed, group=group)
    if not 0 <= fold < num_folds:
        fail("fold", f"a number from 0 to {num_folds - 1}", str(fold), "Choose another fold.")
    rest = np.setdiff1d(np.arange(len(y)), folds[fold])
    split = Split(train=rest, validation=np.zeros(0, np.int64), test=folds[fold])
    return split.carve(y, validation=validation, seed=seed, group=group)
