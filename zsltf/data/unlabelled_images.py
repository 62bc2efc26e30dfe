"""Images without labels: any folder of them, whatever its folders are called."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zsltf.checks import fail
from zsltf.data.decode import SUFFIXES
from zsltf.data.images import ImageFolder, Images
from zsltf.files import visible_files

__all__ = ["UnlabelledSource", "read_unlabelled", "shared_images"]


@dataclass(frozen=True, kw_only=True)
class UnlabelledSource:
    """Where images without labels come from."""

    unlabelled: Path | None = None
    """A folder of images, related to the labelled ones or not; its folders' names mean nothing. Without it, the
    labelled images to learn from, whose labels are not looked at."""

    def check_apart(self, out: Path) -> None:
        """Refuse to write among the images."""
        if self.unlabelled is not None and out.resolve().is_relative_to(self.unlabelled.resolve()):
            fail("out", "a folder outside --unlabelled", str(out), "Choose another output folder.")

    def load(self) -> ImageFolder | None:
        """The list of images, if there is a folder."""
        return None if self.unlabelled is None else read_unlabelled(self.unlabelled)


def read_unlabelled(root: Path) -> ImageFolder:
    """Every image below a folder; all have the label 0.

    Raises:
        ValueError: if there is no folder, or fewer than two images.
    """
    if not root.is_dir():
        fail(str(root), "a folder of images", "no folder", "Check the path.")
    files = visible_files(root)
    images = [path.relative_to(root).as_posix() for path in files if path.suffix.lower() in SUFFIXES]
    if len(images) < 2:
        fail(str(root), "two images or more", str(len(images)), "Add some.")
    others = tuple(path.relative_to(root).as_posix() for path in files if path.suffix.lower() not in SUFFIXES)
    return ImageFolder(root=root, paths=tuple(images), y=np.zeros(len(images), int), not_images=others)


def shared_images(one: Images, other: Images) -> int:
    """How many images of the second are in the first, byte for byte."""
    known = {one.digest(row) for row in range(len(one))}
    return sum(other.digest(row) in known for row in range(len(other)))
