"""Labelled images, whatever holds them, a folder of them, and the tf.data pipeline over them."""

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
import tensorflow as tf
from jaxtyping import Bool, Float, Int, UInt8

from zsltf.checks import fail
from zsltf.data.decode import SUFFIXES, Resize, decode
from zsltf.data.in_python import in_python
from zsltf.data.pipeline import IN_TURN, prefetched
from zsltf.files import sha256, visible_files

__all__ = ["ImageFolder", "Images", "Labels", "OnCorrupt", "Rows", "image_dataset", "row_numbers"]

OnCorrupt = Literal["skip", "error"]
Labels = Int[np.ndarray, " N"] | Float[np.ndarray, "N C"]
Rows = Sequence[int] | Int[np.ndarray, " M"] | Bool[np.ndarray, " N"]


def row_numbers(which: Rows, count: int) -> Int[np.ndarray, " M"]:
    """Indices or a mask over `count` images as indices >= 0; no index at all is none."""
    return np.arange(count)[np.asarray(which, None if len(which) else int)]


class Images(Protocol):
    """N images with their labels, read one by one in any order: an ImageFolder or an ImageArray."""

    @property
    def y(self) -> Labels:
        """Row of the ClassTable, (N,); or multi-hot, (N, C)."""

    @property
    def names(self) -> tuple[str, ...]:
        """One printable name an image."""

    @property
    def one_size(self) -> bool:
        """Whether `load` gives all images the same shape: then many can be read in one call."""

    def __len__(self) -> int: ...

    def load(self, index: int, size: int, policy: Resize = "stretch") -> UInt8[np.ndarray, "H W 3"]:
        """The pixels of one image, averaged down where it is bigger than a network of this input size takes.

        Raises:
            ValueError: if it can't be decoded.
        """

    def select(self, which: Rows) -> Self:
        """The images of these indices or of this mask, in this order."""

    def with_y(self, y: Labels) -> Self:
        """The same images under other labels."""

    def digest(self, index: int) -> bytes:
        """SHA-256 of one image as it is kept."""

    def signature(self) -> bytes:
        """What a cache of anything made of the pixels is keyed by; labels are no part of it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageFolder:
    """Image files, most often of a folder tree whose first level names the classes.

    Formats: JPEG (grey, RGB, CMYK; EXIF rotation), PNG, WebP (alpha on white), GIF (first frame), BMP.
    """

    root: Path
    paths: tuple[str, ...]
    """Relative to root, or absolute."""
    y: Labels
    """Label i is row i of the class names that the folder was read with."""
    left_out: tuple[str, ...] = ()
    """Folders that are no class of the table."""
    not_images: tuple[str, ...] = ()
    """Files whose name is not an image's."""

    @classmethod
    def read(cls, root: Path, names: Sequence[str]) -> "ImageFolder":
        """List the images below root/NAME for each name, whichever of Unicode's forms its letters have there.

        Raises:
            ValueError: if root is no folder, or a name has no folder or no image.
        """
        if not root.is_dir():
            fail(str(root), "a folder with one folder a class", "no folder", "Check the path.")
        folders = {entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")}
        found = _folders_of(names, folders)
        missing = [name for name, folder in zip(names, found, strict=True) if not folder]
        if missing:
            listed = ", ".join(missing[:10])
            fail(str(root), "a folder for every class of the table", f"none for {listed}", "Add it or remove the row.")
        files = [visible_files(root / folder) for folder in found]
        images = [[path for path in paths if path.suffix.lower() in SUFFIXES] for paths in files]
        empty = [name for name, paths in zip(names, images, strict=True) if not paths]
        if empty:
            fail(str(root), "an image in every class folder", f"none in {', '.join(empty[:10])}", "Add photos.")
        others = [path for paths in files for path in paths if path.suffix.lower() not in SUFFIXES]
        return cls(
            root=root,
            paths=tuple(path.relative_to(root).as_posix() for paths in images for path in paths),
            y=np.repeat(np.arange(len(names)), [len(paths) for paths in images]),
            left_out=tuple(sorted(folders.difference(found))),
            not_images=tuple(path.relative_to(root).as_posix() for path in others),
        )

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def names(self) -> tuple[str, ...]:
        """The paths."""
        return self.paths

    @property
    def one_size(self) -> bool:
        """Files may have any size."""
        return False

    def load(self, index: int, size: int, policy: Resize = "stretch") -> UInt8[np.ndarray, "H W 3"]:
        """Decode one file; see Images."""
        return decode(self.root / self.paths[index], size, policy)

    def select(self, which: Rows) -> "ImageFolder":
        """The files of these indices or of this mask, in this order."""
        rows = row_numbers(which, len(self))
        return replace(self, paths=tuple(self.paths[row] for row in rows), y=self.y[rows])

    def with_y(self, y: Labels) -> "ImageFolder":
        """The same files under other labels."""
        return replace(self, y=y)

    def digest(self, index: int) -> bytes:
        """SHA-256 of one file."""
        return bytes.fromhex(sha256(self.root / self.paths[index]))

    def signature(self) -> bytes:
        """Hash of the root, and of each file's path, size and time of change; no file is opened."""
        digest = hashlib.sha256(f"{self.root.resolve()}\n".encode())
        for path in self.paths:
            status = (self.root / path).stat()
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        return digest.digest()


def _folders_of(names: Sequence[str], folders: set[str]) -> list[str]:
    """Of each name the folder called so, or else one that differs in Unicode's form alone, as a Mac may write it; else
    none.
    """
    others = {unicodedata.normalize("NFC", folder): folder for folder in folders.difference(names)}
    return [name if name in folders else others.get(unicodedata.normalize("NFC", name), "") for name in names]


def image_dataset(
    images: Images,
    resize: Callable[[Any], Any],
    *,
    size: int,
    policy: Resize = "stretch",
    batch_size: int = 32,
    shuffle_seed: int | None = None,
    on_corrupt: OnCorrupt = "skip",
    skipped: dict[int, str] | None = None,
) -> Any:
    """A tf.data.Dataset of (index (B,), pixels (B, size, size, 3) float32 in [0, 255]), decoded in parallel.

    Args:
        images: what to read.
        resize: from one decoded image to (size, size, 3), in TensorFlow ops: `Preprocess.resize`.
        size: pixels that the network takes; bigger photos are shrunk by area to it first.
        policy: the resize policy, for that shrinking.
        batch_size: images a batch.
        shuffle_seed: a new order every epoch, the same for the same seed; None keeps the images' order.
        on_corrupt: "skip" leaves out what can't be decoded and goes on; "error" stops.
        skipped: filled while the dataset is read: index -> reason, for each image that can't be decoded.
    """
    reasons = {} if skipped is None else skipped

    def load(index: np.int64) -> np.ndarray:
        try:
            return images.load(int(index), size, policy)
        except ValueError as error:
            reasons[int(index)] = str(error)
            if on_corrupt == "error":
                raise
            return np.zeros((0, 0, 3), np.uint8)

    def read(index: Any) -> tuple[Any, Any]:
        pixels = in_python(load, [index], tf.uint8)
        return index, tf.ensure_shape(pixels, (None, None, 3))

    dataset = tf.data.Dataset.range(len(images))
    if shuffle_seed is not None:
        dataset = dataset.shuffle(len(images), seed=shuffle_seed, reshuffle_each_iteration=True)
    return prefetched(
        dataset.map(read, **IN_TURN)
        .filter(lambda _, pixels: tf.size(pixels) > 0)
        .map(lambda index, pixels: (index, resize(pixels)), **IN_TURN)
        .batch(batch_size)
    )
