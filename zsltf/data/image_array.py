"""Images that are in memory already, or in one memory-mapped `.npy` file."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from zsltf.checks import check_shape, fail
from zsltf.data.decode import Resize, shrink
from zsltf.data.images import Labels, Rows, row_numbers

__all__ = ["ImageArray"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageArray:
    """N RGB images of one size.

    Raises:
        ValueError: if a shape is another, or the pixels are neither uint8 nor floats in [0, 255].
    """

    pixels: UInt8[np.ndarray, "N H W 3"] | Float[np.ndarray, "N H W 3"]
    """In [0, 255]; may be memory-mapped."""
    y: Labels
    """Row of the ClassTable, (N,); or multi-hot, (N, C)."""
    names: tuple[str, ...] = ()
    """One an image; by default "image 0", "image 1" and so on."""

    def __post_init__(self) -> None:
        check_shape("ImageArray.pixels", self.pixels, (None, None, None, 3), "Give RGB images, channels last.")
        if 0 in self.pixels.shape[1:]:
            fail(
                "ImageArray.pixels", "images of some height and width", f"shape {self.pixels.shape}", "Check the file."
            )
        _check_range(self.pixels)
        check_shape("ImageArray.y", self.y, (len(self.pixels), *self.y.shape[1:]), "Give one label an image.")
        if not self.names:
            object.__setattr__(self, "names", tuple(f"image {i}" for i in range(len(self.pixels))))
        if len(self.names) != len(self.pixels):
            fail("ImageArray.names", f"{len(self.pixels)} names", str(len(self.names)), "Give one name an image.")

    def __len__(self) -> int:
        return len(self.pixels)

    @classmethod
    def from_npy(cls, pixels: Path, y: Path) -> "ImageArray":
        """Read `.npy` files; the pixels are memory-mapped."""
        return cls(pixels=np.load(pixels, mmap_mode="r", allow_pickle=False), y=np.load(y, allow_pickle=False))

    @property
    def one_size(self) -> bool:
        """That of the array."""
        return True

    def load(self, index: int, size: int, policy: Resize = "stretch") -> UInt8[np.ndarray, "H W 3"]:
        """One image, rounded to whole levels; see Images."""
        pixels = np.array(_levels(self.pixels[index]))
        return pixels if max(pixels.shape[:2]) <= size else np.asarray(shrink(Image.fromarray(pixels), size, policy))

    def select(self, which: Rows) -> "ImageArray":
        """The images of these indices or of this mask, in this order: a copy, rounded to whole levels."""
        rows = row_numbers(which, len(self))
        names = tuple(self.names[row] for row in rows)
        return replace(self, pixels=_levels(self.pixels[rows]), y=self.y[rows], names=names)

    def with_y(self, y: Labels) -> "ImageArray":
        """The same pixels under other labels."""
        return replace(self, y=y)

    def digest(self, index: int) -> bytes:
        """SHA-256 of one image's levels."""
        return hashlib.sha256(_levels(self.pixels[index]).tobytes()).digest()

    def signature(self) -> bytes:
        """Hash of all levels."""
        digest = hashlib.sha256(str(self.pixels.shape).encode())
        for image in self.pixels:
            digest.update(_levels(image).tobytes())
        return digest.digest()


def _levels(pixels: np.ndarray) -> UInt8[np.ndarray, "*N H W 3"]:
    return pixels if pixels.dtype == np.uint8 else np.rint(pixels).astype(np.uint8)


def _check_range(pixels: np.ndarray) -> None:
    if pixels.dtype == np.uint8 or not len(pixels):
        return
    if not np.issubdtype(pixels.dtype, np.floating):
        fail("ImageArray.pixels", "uint8, or floats in [0, 255]", str(pixels.dtype), "Convert them.")
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and 1 < high <= 255):  # false for NaN, too
        received = f"{low:g} to {high:g}"
        fail("ImageArray.pixels", "floats in [0, 255]", received, "Scale them: 255 * pixels for [0, 1].")
