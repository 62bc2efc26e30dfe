"""Labelled photos at a network's input size, in memory: what exported files are calibrated and tested on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Int, UInt8

from zsltf.checks import fail
from zsltf.data.decode import SUFFIXES, Resize, decode, fitted
from zsltf.files import visible_files

__all__ = ["FittedPhotos"]

_MOST_BYTES = 2**32


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedPhotos:
    """N photos and the rows of their classes."""

    images: UInt8[np.ndarray, "N size size 3"]
    y: Int[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.y)

    def select(self, rows: np.ndarray) -> Self:
        """The photos of these rows."""
        return type(self)(images=self.images[rows], y=self.y[rows])

    @classmethod
    def read(cls, root: Path, names: Sequence[str], *, size: int, resize: Resize, least: int = 1) -> Self:
        """Read root/NAME for each name that has a folder; files that can't be decoded are left out.

        Args:
            root: a folder with one folder a class.
            names: classes that the network knows.
            size: of its input in pixels.
            resize: how a photo gets there.
            least: photos that a class needs.

        Raises:
            ValueError: if a folder is no class, none is, a class has too few photos, or they are too many for memory.
        """
        if not root.is_dir():
            fail(str(root), "a folder with one folder a class", "no folder", "Check the path.")
        folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        foreign = [name for name in folders if name not in names]
        if foreign or not folders:
            received = ", ".join(foreign[:5]) or "no folder"
            fail(str(root), f"folders of classes ({', '.join(names[:5])}, ...)", received, "Give other photos.")
        files = [(path, names.index(name)) for name in folders for path in visible_files(root / name)]
        files = [(path, label) for path, label in files if path.suffix.lower() in SUFFIXES]
        if len(files) * size * size * 3 > _MOST_BYTES:
            most = _MOST_BYTES // (size * size * 3)
            fail(str(root), f"at most {most} photos", str(len(files)), "Give a part of them.")
        pixels, labels = [], []
        for path, label in files:
            try:
                pixels.append(fitted(decode(path, size, resize), size, resize))
            except ValueError:
                continue
            labels.append(label)
        few = [name for name in folders if labels.count(names.index(name)) < least]
        if few:
            fail(str(root), f"{least} photos or more of every class", f"fewer of {', '.join(few[:5])}", "Add photos.")
        return cls(images=np.stack(pixels), y=np.array(labels))
