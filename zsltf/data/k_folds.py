"""K folds of labelled images: stratified or plain, and never one group in two."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

from zsltf.checks import fail
from zsltf.data.images import Labels
from zsltf.data.labels import class_counts, strata
from zsltf.data.shares import check_groups_suffice

__all__ = ["k_folds"]


def k_folds(
    y: Labels,
    names: Sequence[str],
    *,
    num_folds: int = 5,
    seed: int = 0,
    group: np.ndarray | None = None,
    stratified: bool = True,
    what: str = "folds",
) -> list[Int[np.ndarray, " M"]]:
    """Deal the images into folds, each class and no group over all of them; the rows of each fold.

    Images with several labels are dealt at random, since no exact stratification exists for them.

    Args:
        y: labels.
        names: of the classes.
        num_folds: 2 or more.
        seed: the same seed gives the same folds.
        group: a group (patient, machine, site) goes into one fold as a whole.
        stratified: False deals all images, or groups, at random.
        what: what an error calls them.

    Raises:
        ValueError: if there are too few images or groups for one of every class in each fold.
    """
    if num_folds < 2:
        fail(what, "2 or more", str(num_folds), "Start from 5.")
    for name, count in zip(names, class_counts(y, len(names)), strict=True):
        if count < num_folds:
            received = f"{count} of {name}"
            fail(what, f"at least {num_folds} images of every class", received, "Add photos or use fewer folds.")
    if group is not None:
        check_groups_suffice(group, num_folds)
    deal = _stratified if stratified else _plain
    folds = deal(y, num_folds, seed, group)
    _check_classes(folds, y, names, what)
    return folds


def _stratified(y: Labels, num_folds: int, seed: int, group: np.ndarray | None) -> list[np.ndarray]:
    dealer = StratifiedKFold if group is None else StratifiedGroupKFold
    split = dealer(num_folds, shuffle=True, random_state=seed).split(y, strata(y), group)
    return [tested for _, tested in split]


def _plain(y: Labels, num_folds: int, seed: int, group: np.ndarray | None) -> list[np.ndarray]:
    groups, member = np.unique(np.arange(len(y)) if group is None else group, return_inverse=True)
    split = KFold(num_folds, shuffle=True, random_state=seed).split(groups)
    return [np.flatnonzero(np.isin(member, tested)) for _, tested in split]


def _check_classes(folds: Sequence[np.ndarray], y: Labels, names: Sequence[str], what: str) -> None:
    for number, rows in enumerate(folds):
        empty = [name for name, count in zip(names, class_counts(y[rows], len(names)), strict=True) if not count]
        if empty:
            received = f"none of {', '.join(empty[:5])} in fold {number}"
            fail(what, "an image of every class in each", received, "Use fewer folds, or try another seed.")
