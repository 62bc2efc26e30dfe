"""A random share of the images: of each class alike, and of whole groups where there are some."""

import numpy as np
from jaxtyping import Bool

from zsltf.checks import fail
from zsltf.data.images import Labels
from zsltf.data.labels import class_counts, strata

__all__ = ["check_groups_suffice", "random_share"]

_DRAWS = 100  # of groups, of which the best balanced is taken


def random_share(y: Labels, share: float, seed: int, group: np.ndarray | None = None) -> Bool[np.ndarray, " N"]:
    """Mask of the share.

    Without groups, at least one image of a class and not all, where it has two; multi-hot labels as they fall. With
    groups, the one of many random draws of whole groups that gives no class to one side alone and shares out best.

    Args:
        y: labels.
        share: of the images, in (0, 1).
        seed: the same seed gives the same mask.
        group: a group (patient, machine, site) is taken as a whole.

    Raises:
        ValueError: if there is a single group.
    """
    return _stratified(strata(y), share, seed) if group is None else _grouped(y, share, seed, group)


def check_groups_suffice(group: np.ndarray, least: int) -> None:
    """There are at least so many groups."""
    count = len(np.unique(group))
    if count < least:
        fail("groups", f"at least {least}", str(count), "Use fewer folds or parts, or split without groups.")


def _stratified(y: np.ndarray, share: float, seed: int | list[int]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros(len(y), bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        mask[rows[: min(max(1, round(share * len(rows))), len(rows) - 1)]] = True
    return mask


def _grouped(y: Labels, share: float, seed: int, group: np.ndarray) -> np.ndarray:
    check_groups_suffice(group, 2)
    _, first, member = np.unique(group, return_index=True, return_inverse=True)
    mixed = np.zeros(len(first), np.int64)
    alike = (strata(y)[first], mixed)  # groups of one class each are shared out class by class
    draws = (_stratified(alike[i % 2], share, [seed, i])[member] for i in range(_DRAWS))
    return min(draws, key=lambda taken: _imbalance(y, taken, share))


def _imbalance(y: Labels, taken: np.ndarray, share: float) -> tuple[int, float]:
    """Classes that are on one side alone; then the greatest deviation of a class from the share."""
    num_classes = int(y.max()) + 1 if y.ndim == 1 else y.shape[1]
    total = class_counts(y, num_classes)
    shares = class_counts(y[taken], num_classes)[total > 0] / total[total > 0]
    return int(((shares == 0) | (shares == 1)).sum()), float(np.abs(shares - share).max())
