"""Labelled images dealt into folds: what cross-validation starts from."""

from dataclasses import dataclass, replace

import numpy as np

from zsltf.checks import fail
from zsltf.data.k_folds import k_folds
from zsltf.data.labelled import LabelledImages, LabelledSource
from zsltf.data.leakage import check_leakage, near_duplicates
from zsltf.data.splits import Split

__all__ = ["FoldedImages", "load_folds"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldedImages:
    """Labelled images, all but the test part in folds.

    Raises:
        ValueError: if a part of a fold's split has no image of a class, or a group is in two parts.
    """

    labelled: LabelledImages
    """Split for what comes after the folds: training on all of them, and testing on what is in none."""
    splits: tuple[Split, ...]
    """One a fold: it is the test part, and the others train."""

    def __post_init__(self) -> None:
        for number in range(len(self.splits)):
            self.fold(number)

    def __len__(self) -> int:
        return len(self.splits)

    def fold(self, number: int) -> LabelledImages:
        """The images as this fold splits them, without those of unseen classes."""
        return replace(self.labelled, split=self.splits[number], unseen=None)

    def parts(self) -> dict[str, np.ndarray]:
        """Name -> rows of each fold, and of the test part if there is one."""
        folds = {f"fold {number}": split.test for number, split in enumerate(self.splits)}
        return folds | ({"test": self.labelled.split.test} if len(self.labelled.split.test) else {})


def load_folds(source: LabelledSource, *, stratified: bool = True) -> FoldedImages:
    """Read, leave out the test part, deal the rest into folds, and check.

    A validation part of the source's own is dealt out with the rest; the share `source.validation` is taken of each
    training's images.

    Args:
        source: of the images; `folds` and `split_seed` say how they are dealt.
        stratified: see `k_folds`.

    Raises:
        ValueError: for what the source refuses, or the same image in two folds.
    """
    if source.fold:
        fail("--fold", "0, since every fold is tested in turn", str(source.fold), "Leave it out.")
    plain = replace(source, folds=0, validation=0.0, allow_leakage=True, find_near_duplicates=False)
    labelled = plain.load()
    own = labelled.split
    rows, none = np.sort(np.concatenate([own.train, own.validation])), np.zeros(0, np.int64)

    def split(test: np.ndarray) -> Split:
        whole = Split(train=np.setdiff1d(rows, test), validation=none, test=test)
        seed, group = source.split_seed, labelled.group
        return whole.carve(labelled.images.y, validation=source.validation, seed=seed, group=group)

    splits = tuple(split(rows[fold]) for fold in _deal(labelled, rows, source, stratified))
    return _checked(FoldedImages(labelled=replace(labelled, split=split(own.test)), splits=splits), source)


def _deal(labelled: LabelledImages, rows: np.ndarray, source: LabelledSource, stratified: bool) -> list[np.ndarray]:
    return k_folds(
        labelled.images.y[rows],
        labelled.classes.names,
        num_folds=source.folds,
        seed=source.split_seed,
        group=None if labelled.group is None else labelled.group[rows],
        stratified=stratified,
    )


def _checked(folded: FoldedImages, source: LabelledSource) -> FoldedImages:
    """The same with its near-duplicates, if there is no copy."""
    images = folded.labelled.images
    if source.data is None:  # the drawn pictures are all different
        return folded
    if not source.allow_leakage:
        check_leakage(images, folded)
    if not source.find_near_duplicates:
        return folded
    return replace(folded, labelled=replace(folded.labelled, near_duplicates=near_duplicates(images, folded)))
