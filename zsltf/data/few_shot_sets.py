"""Features of base, validation and novel classes, checked before anything is learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.episodes import Episodes
from zsltf.data.features import Features
from zsltf.data.few_shot_layouts import ROLES, ClassParts

__all__ = ["APART", "NO_BASE", "FewShotSets"]

APART = "base classes apart"
NO_BASE = "no base classes: all classes novel"


@dataclass(frozen=True, kw_only=True, eq=False)
class FewShotSets:
    """What few-shot methods learn from, choose on and are tested on; labels are rows of one class table.

    Raises:
        ValueError: if a class is in two of them, or there is validation without base.
    """

    novel: Features
    classes: ClassTable
    base: Features | None = None
    validation: Features | None = None

    def __post_init__(self) -> None:
        given = {role: getattr(self, role) for role in ROLES if getattr(self, role) is not None}
        for first, second in combinations(given, 2):
            common = np.intersect1d(given[first].y, given[second].y)
            if len(common):
                received = f"{self._names(common)} in {first} and {second}"
                fail("few-shot sets", "classes of one set only", received, "Keep novel classes out of training.")
        if self.base is None and self.validation is not None:
            fail("few-shot sets", "base classes beside validation classes", "none", "Add them, or leave both out.")

    @classmethod
    def of(cls, features: Features, classes: ClassTable, parts: ClassParts) -> "FewShotSets":
        """The examples of each part's classes.

        Raises:
            ValueError: if a part that has classes has no example.
        """
        found = {role: np.isin(features.y, getattr(parts, role)) for role in ROLES}
        empty = [role for role, mask in found.items() if len(getattr(parts, role)) and not mask.any()]
        if empty:
            fail(f"{empty[0]} classes", "examples", "none", "Check the features' labels.")
        base, validation = (features.select(found[role]) if found[role].any() else None for role in ROLES[:2])
        return cls(novel=features.select(found["novel"]), classes=classes, base=base, validation=validation)

    @property
    def protocol(self) -> str:
        """Which of the two kinds of test this is: numbers of one are not to be held against those of the other."""
        return NO_BASE if self.base is None else APART

    def check_enough(self, episodes: Episodes) -> None:
        """Refuse episodes that the novel classes can't give.

        Raises:
            ValueError: if there are fewer classes than ways, or naming classes with too few examples.
        """
        labels, counts = np.unique(self.novel.y, return_counts=True)
        need = episodes.most_examples
        small = labels[counts < need]
        if len(small):
            each = [f"{self.classes.names[label]} ({counts[labels == label][0]})" for label in small]
            told = f"fewer in {len(small)}: {', '.join(each[:5])}"
            fix = "Add photos, drop the class, or take fewer queries."
            fail("novel classes", f"{need} examples a class for shots and queries", told, fix)
        episodes.draw(self.novel.y, 1)

    def _names(self, rows: Sequence[int] | np.ndarray) -> str:
        return ", ".join(self.classes.names[row] for row in rows[:5])
