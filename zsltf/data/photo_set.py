"""Photos, their class table, and the ways of splitting its classes into seen and unseen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zsltf.checks import fail
from zsltf.data.attributes import Missing, filled
from zsltf.data.classes import ClassTable, read_partitions
from zsltf.data.images import ImageFolder, OnCorrupt
from zsltf.data.toy import draw_folder
from zsltf.files import cache_directory

__all__ = ["PhotoSet", "PhotoSource"]


@dataclass(frozen=True, kw_only=True, eq=False)
class PhotoSet:
    """One folder of photos under one or more partitions of its classes."""

    images: ImageFolder
    partitions: dict[str, ClassTable]
    drawn: bool = False
    """Whether this package drew them: they are all different."""


@dataclass(frozen=True, kw_only=True)
class PhotoSource:
    """Where photos come from: a user's folder, or pictures that this package draws."""

    images: Path | None = None
    """Folder with one folder of photos a class; without it the pictures are drawn."""
    classes: Path | None = None
    """CSV: class, split (seen or unseen), then one column an attribute."""
    beside: tuple[Path, ...] = ()
    """Further tables of that kind, such as text vectors, whose columns are put beside; each keeps its own units."""
    missing: Missing = "refuse"
    """What to do about attributes that a table marks with -1."""
    partitions: Path | None = None
    """CSV: class, then one column a partition, cells seen or unseen."""
    random_partitions: int = 0
    """Evaluate this many random partitions too, a quarter of the classes unseen."""
    drawn: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Seeds of the drawn sets."""
    on_corrupt: OnCorrupt = "skip"
    """A file that can't be decoded: skip lists it in the report, error stops."""

    def __post_init__(self) -> None:
        if self.random_partitions < 0:
            fail("random_partitions", "0 or more", str(self.random_partitions), "Start from the default.")
        if not self.drawn:
            fail("drawn", "one seed or more", "none", "Start from the default.")

    def check_apart(self, out: Path) -> None:
        """Refuse to write among the photos: the next run would take our pictures for theirs."""
        if self.images is not None and out.resolve().is_relative_to(self.images.resolve()):
            fail("out", "a folder outside --images", str(out), "Choose another output folder.")

    def sets(self) -> list[PhotoSet]:
        """What to run on; the first set's first partition is the one that ships.

        Raises:
            ValueError: if photos come without a table, a table without photos, or nothing splits the classes.
        """
        if (self.images is None) != (self.classes is None):
            given, missing = ("--images", "--classes") if self.classes is None else ("--classes", "--images")
            fail("photos", "--images and --classes together", f"{given} alone", f"Add {missing}.")
        if self.images is None or self.classes is None:
            if self.beside or self.partitions or self.random_partitions:
                fix = "Give --images and --classes, or use --drawn."
                fail("further tables and partitions", "none for drawn pictures", "some", fix)
            return [_drawn(seed) for seed in self.drawn]
        table, *beside = (ClassTable.from_csv(path) for path in (self.classes, *self.beside))
        masks: dict[str, np.ndarray] = {} if table.seen.all() else {"split": table.seen}
        listed = read_partitions(self.partitions, table.names) if self.partitions else {}
        drawn = {f"random {i}": mask for i, mask in enumerate(_random(len(table), self.random_partitions))}
        for name in listed.keys() & {*masks, *drawn}:
            fail(str(self.partitions), "a partition's name that is free", repr(name), "Rename the column.")
        masks |= listed | drawn
        if not masks:
            fix = "Add a column split (seen or unseen), or give --partitions FILE or --random-partitions N."
            fail(str(self.classes), "unseen classes to test on", "none", fix)
        partitions = {name: self._filled(table, beside, mask) for name, mask in masks.items()}
        return [PhotoSet(images=ImageFolder.read(self.images, table.names), partitions=partitions)]

    def _filled(self, table: ClassTable, beside: Sequence[ClassTable], seen: np.ndarray) -> ClassTable:
        """One table of all columns under a partition, which says what fills in for missing attributes."""
        filled_in = filled(table.with_seen(seen), self.missing, str(self.classes))
        names = np.array(table.names)[seen]
        for path, other in zip(self.beside, beside, strict=True):
            under = other.with_seen(np.isin(other.names, names))
            filled_in = filled_in.beside(filled(under, self.missing, str(path)))
        return filled_in


def _drawn(seed: int) -> PhotoSet:
    """Pictures of this seed, kept in the cache directory."""
    folder = cache_directory() / "drawn" / f"v1-seed-{seed}"
    if not folder.is_dir():
        try:
            draw_folder(folder, seed=seed)
        except (OSError, ValueError):
            if not folder.is_dir():  # else another process was first
                raise
    table = ClassTable.from_csv(folder / "attributes.csv")
    return PhotoSet(
        images=ImageFolder.read(folder / "images", table.names), partitions={f"drawn {seed}": table}, drawn=True
    )


def _random(num_classes: int, count: int, share: float = 0.25) -> list[np.ndarray]:
    """Seen masks (C,)."""
    orders = [np.random.default_rng([0, i]).permutation(num_classes) for i in range(count)]
    return [order >= max(2, round(share * num_classes)) for order in orders]
