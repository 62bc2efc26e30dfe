"""Folds of the training data: what a choice may look at."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.k_folds import k_folds
from zsltf.data.shares import random_share

__all__ = ["Fold", "class_disjoint_folds", "hold_out", "image_folds"]


@dataclass(frozen=True, kw_only=True)
class Fold:
    """A training problem in small: its table marks the classes that this fold pretends not to have seen."""

    data: Features
    tested: Bool[np.ndarray, " N"]
    """Examples of the validation part; the others are the training part."""
    classes: ClassTable

    @property
    def train(self) -> Features:
        """The training part, copied when asked for: folds of big data cost no memory."""
        return self.data.select(~self.tested)

    @property
    def validation(self) -> Features:
        """The validation part."""
        return self.data.select(self.tested)

    @property
    def y(self) -> Int[np.ndarray, " M"]:
        """Labels of the validation part."""
        return self.data.y[self.tested]


def hold_out(y: Int[np.ndarray, " N"], share: float, seed: int) -> np.ndarray:
    """Mask (N,) of a random `share` of each class's examples, at least one and not all.

    Raises:
        ValueError: if a class has a single example.
    """
    single = np.flatnonzero(np.bincount(y) == 1)
    if len(single):
        received = f"1 of class {single[0]}"
        fail("images", "at least 2 images of every class", received, "Add photos or drop the class.")
    return random_share(y, share, seed)


def class_disjoint_folds(
    train: Features,
    classes: ClassTable,
    *,
    num_folds: int = 5,
    num_repeats: int = 3,
    share: float = 0.2,
    seed: int = 0,
) -> Iterator[Fold]:
    """Split the SEEN classes: each fold holds some out as pretended unseen, and `share` of the others' images.

    Only seen classes enter; the validation of a fold looks like a generalised zero-shot test. With few classes one
    grouping says little, so the classes are dealt into folds several times.

    Raises:
        ValueError: if fewer than 4 classes are seen, or an example is of another class.
    """
    train.check_seen(classes)
    seen = np.flatnonzero(classes.seen)
    if len(seen) < 4:
        fail("classes", "at least 4 seen classes to choose settings on", str(len(seen)), "Mark more classes as seen.")
    known = classes.select(seen)
    data = _relabelled(train, seen, len(classes))
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(seen)) for _ in range(num_repeats)]
    groups = [group for order in orders for group in np.array_split(order, min(num_folds, len(seen) // 2))]
    for number, hidden in enumerate(groups):
        mask = np.ones(len(seen), bool)
        mask[hidden] = False
        tested = ~mask[data.y] | hold_out(data.y, share, seed + number)
        yield Fold(data=data, tested=tested, classes=known.with_seen(mask))


def image_folds(
    train: Features, classes: ClassTable, *, num_folds: int = 5, seed: int = 0, group: np.ndarray | None = None
) -> list[Fold]:
    """Split each class's images, and no group, for methods that know all classes.

    Raises:
        ValueError: if a class has too few images or groups; see k_folds.
    """
    what = "inner folds (--no-search needs none)"
    dealt = k_folds(train.y, classes.names, num_folds=num_folds, seed=seed, group=group, what=what)
    masks = (np.isin(np.arange(len(train)), rows) for rows in dealt)
    return [Fold(data=train, tested=mask, classes=classes) for mask in masks]


def _relabelled(train: Features, rows: np.ndarray, num_classes: int) -> Features:
    new = np.full(num_classes, -1)
    new[rows] = np.arange(len(rows))
    return train.with_y(new[train.y])
