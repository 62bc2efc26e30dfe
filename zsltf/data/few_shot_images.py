"""Where a few-shot recipe's images come from, and which of their classes are base, validation and novel."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from zsltf.checks import fail
from zsltf.data.collection import Collection
from zsltf.data.drawn_images import read_drawn
from zsltf.data.few_shot_layouts import ROLES, ClassParts, read_benchmark, read_class_parts
from zsltf.data.folder_images import read_folder
from zsltf.data.images import OnCorrupt
from zsltf.data.leakage import Twins, class_duplicates

__all__ = ["FewShotImages", "FewShotSource"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FewShotImages:
    """Labelled images, and the parts that their classes have.

    Raises:
        ValueError: if a novel class has no image.
    """

    collection: Collection
    parts: ClassParts
    near_duplicates: tuple[Twins, ...] = ()
    """Images of two classes that show nearly the same."""

    def __post_init__(self) -> None:
        counts = np.bincount(self.collection.images.y, minlength=len(self.collection.classes))
        empty = [self.collection.classes.names[row] for row in self.parts.novel if not counts[row]]
        if empty:
            fail("images", "some of every novel class", f"none of {', '.join(empty[:5])}", "Add photos.")

    def rows(self, role: str) -> Int[np.ndarray, " M"]:
        """Images of a role's classes."""
        return np.flatnonzero(np.isin(self.collection.images.y, getattr(self.parts, role)))

    def counts(self) -> dict[str, tuple[int, int]]:
        """Role -> classes and images, of the roles that have any."""
        told = {role: (len(getattr(self.parts, role)), len(self.rows(role))) for role in ROLES}
        return {role: numbers for role, numbers in told.items() if numbers[0]}


@dataclass(frozen=True, kw_only=True)
class FewShotSource:
    """Where images come from, and how their classes are parted."""

    data: Path | None = None
    """A folder with one folder of photos a class; one with train, val and test folders of these, whose classes differ;
    or the folder of mini-ImageNet or CIFAR-FS. Without it pictures are drawn."""
    parts: Path | None = None
    """CSV: class, part (base, validation or novel; train, val or test)."""
    base: int | None = None
    """Classes to learn from, drawn at random; by default half of them, 0 for a test on all classes without any."""
    validation: int | None = None
    """Classes to choose on, drawn at random from the rest, by default as many as the recipe needs; the others are
    novel."""
    split_seed: int = 0
    """Of that draw; the same seed gives the same parts."""
    on_corrupt: OnCorrupt = "skip"
    """A file that can't be decoded: skip lists it in the report, error stops."""
    find_near_duplicates: bool = True
    """List images of two classes that show nearly the same; not for the sets of benchmarks."""

    def __post_init__(self) -> None:
        if (self.base or 0) < 0 or (self.validation or 0) < 0:
            fail("base and validation", "0 classes or more", f"{self.base} and {self.validation}", "Take more.")

    def check_apart(self, out: Path) -> None:
        """Refuse to write among the images: the next run would take our pictures for theirs."""
        if self.data is not None and out.resolve().is_relative_to(self.data.resolve()):
            fail("out", "a folder outside --data", str(out), "Choose another output folder.")

    def load(self, validation: int = 0) -> FewShotImages:
        """Read the images and part their classes.

        Args:
            validation: classes to choose on, where neither settings nor data say it.

        Raises:
            ValueError: for what the readers refuse, for parts that are given twice, or if too few classes are left.
        """
        benchmark = None if self.data is None else read_benchmark(self.data)
        if benchmark is not None:
            collection, parts = benchmark
            if self.parts or self.base or self.validation:
                fail(str(self.data), "no further parts", "some", "It has its own; --base 0 tests without base classes.")
            return FewShotImages(collection=collection, parts=_only_novel(parts) if self.base == 0 else parts)
        collection = read_drawn("combinations") if self.data is None else read_folder(self.data)
        found = FewShotImages(collection=collection, parts=self._parts(collection, validation))
        if self.data is None or not self.find_near_duplicates:  # the drawn pictures are all different
            return found
        novel = np.isin(collection.images.y, found.parts.novel)
        return replace(found, near_duplicates=class_duplicates(collection.images, novel))

    def _parts(self, collection: Collection, validation: int) -> ClassParts:
        count = len(collection.classes)
        if self.parts is not None:
            if self.base is not None or self.validation:
                fail("--parts", "no numbers of classes beside it", "some", "Leave --base and --validation out.")
            return read_class_parts(self.parts, collection.classes)
        base = count // 2 if self.base is None else self.base
        validation = validation if self.validation is None else self.validation
        if base + validation > count - 2:
            received = f"{base} and {validation} of {count}"
            fail("base and validation classes", "two classes or more left to test on", received, "Take fewer.")
        order = np.random.default_rng(self.split_seed).permutation(count)
        drawn = np.split(order, [base, base + validation])
        return ClassParts(**{role: np.sort(rows) for role, rows in zip(ROLES, drawn, strict=True)})


def _only_novel(parts: ClassParts) -> ClassParts:
    none = np.zeros(0, np.int64)
    return ClassParts(base=none, validation=none, novel=parts.novel)
