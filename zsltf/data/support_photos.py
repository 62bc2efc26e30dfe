"""A few photos a class, from a user's folders: what a few-shot learner adapts to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.collection import Collection
from zsltf.data.corrupt import check_decodable
from zsltf.data.folder_images import read_folder
from zsltf.data.images import ImageFolder, Images

__all__ = ["SupportPhotos", "SupportSource"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SupportPhotos:
    """Photos to adapt to, maybe others to test on, and maybe photos of base classes."""

    source: str
    """The folder of the support."""
    support: Images
    classes: ClassTable
    test: Images | None = None
    """Other photos of these classes, under their table."""
    base: Collection | None = None
    """Of other classes, under a table of their own."""
    left_out: tuple[str, ...] = ()
    """Base classes that are in the support too."""
    not_images: tuple[str, ...] = ()
    """Files of the support whose name is not an image's."""


@dataclass(frozen=True, kw_only=True)
class SupportSource:
    """Folders with one folder of photos a class."""

    support: Path
    """The classes to recognise, with some photos of each: 1 to 20 are what few-shot methods are made for."""
    test: Path | None = None
    """Other photos of these classes, to test on; without them photos of the support are left out in turn."""
    base: Path | None = None
    """Other classes with many photos, from which a method learns how to learn; not every method needs them."""

    def check_apart(self, out: Path) -> None:
        """Refuse to write among the photos."""
        for folder in (self.support, self.test, self.base):
            if folder is not None and out.resolve().is_relative_to(folder.resolve()):
                fail("out", f"a folder outside {folder}", str(out), "Choose another output folder.")

    def read(self) -> SupportPhotos:
        """List the photos; those of support and test are decoded once, small.

        Raises:
            ValueError: if there is one class only, a class without a photo, a test class without support, a photo that
                is there twice or can't be decoded, or too few base classes.
        """
        found = _read(self.support, "--support")
        names = found.classes.names
        test = None if self.test is None else _read_test(self.test, names)
        given = {"--support": found.images, **({} if test is None else {"--test": test})}
        for option, images in given.items():
            check_decodable(images, option, "Replace or remove them.")
        base, left_out = (None, ()) if self.base is None else _read_base(self.base, names)
        _check_different(given | ({} if base is None else {"--base": base.images}))
        return SupportPhotos(
            source=str(self.support),
            support=found.images,
            classes=found.classes,
            test=test,
            base=base,
            left_out=left_out,
            not_images=found.not_images,
        )


def _read(folder: Path, option: str) -> Collection:
    found = read_folder(folder)
    if found.parts is not None:
        fail(option, "a folder with one folder a class", f"{folder}, which has parts", "Give the folder train in it.")
    return found


def _read_test(folder: Path, names: Sequence[str]) -> ImageFolder:
    if not folder.is_dir():
        fail(str(folder), "a folder with one folder a class", "no folder", "Check the path.")
    own = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if absent := [name for name in own if name not in names]:
        received = f"also {', '.join(absent[:5])}"
        fail("--test", "classes of the support", received, "Add support photos of them, or move the folders.")
    tested = [name for name in names if name in own]
    if not tested:
        fail("--test", "a folder for one class or more", "none", "Put the photos of each class in one.")
    images = ImageFolder.read(folder, tested)
    return images.with_y(np.array([names.index(name) for name in tested])[images.y])


def _read_base(folder: Path, names: Sequence[str]) -> tuple[Collection, tuple[str, ...]]:
    found = _read(folder, "--base")
    own = np.isin(found.classes.names, names)
    if (~own).sum() < 2:
        received = f"{(~own).sum()}"
        fail(
            "--base",
            "two classes or more that are not in the support",
            received,
            "Give other classes, or leave it out.",
        )
    return found.of_classes(~own), tuple(np.array(found.classes.names)[own].tolist())


def _check_different(sets: Mapping[str, Images]) -> None:
    """Of two copies one would be tested by the other, or be learned from as another class."""
    found: dict[bytes, list[str]] = defaultdict(list)
    for option, images in sets.items():
        for row, name in enumerate(images.names):
            found[images.digest(row)].append(f"{option} {name}")
    copies = [names for names in found.values() if len(names) > 1 and not names[0].startswith("--base")]
    if copies:
        received = f"{len(copies)} more than once: {'; '.join(map(' = '.join, copies[:3]))}"
        fail(", ".join(sets), "different photos", received, "Keep one.")
