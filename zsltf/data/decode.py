"""The decoding door: one image file in any common format to RGB pixels, big photos averaged down."""

import io
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from zsltf.checks import fail

__all__ = ["SUFFIXES", "Resize", "decode", "fitted", "shrink"]

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"))
Resize = Literal["stretch", "crop", "pad"]
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")  # and none of Pillow's rarer decoders, whatever a file's name


def decode(source: Path | bytes, size: int, resize: Resize = "stretch") -> UInt8[np.ndarray, "H W 3"]:
    """Decode, turn as EXIF says, flatten alpha on white, and average down what is bigger than the network takes.

    Networks take small images and no exported graph can antialias, so big photos are shrunk here, each pixel becoming
    a weighted mean of its area; what is smaller stays as it is. An animated file gives its first frame. Pillow refuses
    more than 179 megapixels.

    Args:
        source: a path, or the bytes of a file.
        size: height and width in pixels that the network takes.
        resize: the policy by which the graph will get there.

    Raises:
        ValueError: if the file is no image, is truncated, or claims too many pixels.
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=_FORMATS) as image:
            if image.format == "JPEG" and image.mode in ("RGB", "L"):
                longest = 2 * max(_shrunk(image.size, size, resize))
                image.draft(None, (longest, longest))  # averages by powers of two while decoding
            return np.asarray(shrink(_upright_rgb(image), size, resize))
    except Exception as error:  # noqa: BLE001 (Pillow's decoders raise of every kind on broken bytes)
        name = "image bytes" if isinstance(source, bytes) else str(source)
        reason = "no header of these formats" if isinstance(error, UnidentifiedImageError) else error
        fail(name, "a JPEG, PNG, GIF, BMP or WebP image", f"what Pillow can't read ({reason})", "Replace the file.")


def _upright_rgb(image: Image.Image) -> Image.Image:
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):  # 16-bit grey, which convert would clip at 255
        turned = turned.point(lambda value: value / 257).convert("L")
    if turned.has_transparency_data:
        with_alpha = turned.convert("RGBA")
        turned = Image.alpha_composite(Image.new("RGBA", with_alpha.size, "white"), with_alpha)
    return turned.convert("RGB")


def shrink(image: Image.Image, size: int, resize: Resize) -> Image.Image:
    """An RGB image, averaged down where it is bigger than a network of this input size takes; see decode."""
    shrunk = _shrunk(image.size, size, resize)
    return image if shrunk == image.size else image.resize(shrunk, Image.Resampling.BILINEAR)


def fitted(image: UInt8[np.ndarray, "H W 3"], size: int, resize: Resize) -> UInt8[np.ndarray, "size size 3"]:
    """An image at a network's input size, as `Preprocess.resize` gets it there but for rounding to whole numbers.

    For files that take no other size; they were averaged down by `decode` before.
    """
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    picture, box = Image.fromarray(image), (0.0, 0.0, float(width), float(height))
    if resize == "crop":
        side = min(height, width)
        left, top = int((width - side) / 2), int((height - side) / 2)
        box = (left, top, left + side, top + side)
    if resize == "pad":
        side = max(height, width)
        square = Image.new("RGB", (side, side))
        square.paste(picture, (int((side - width) / 2), int((side - height) / 2)))
        picture, box = square, (0.0, 0.0, float(side), float(side))
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR, box=box))


def _shrunk(shape: tuple[int, int], size: int, resize: Resize) -> tuple[int, int]:
    if resize == "stretch":
        return min(shape[0], size), min(shape[1], size)
    ratio = min(1.0, size / (min(shape) if resize == "crop" else max(shape)))
    return max(1, round(shape[0] * ratio)), max(1, round(shape[1] * ratio))
