"""Hashes that are alike for pictures that look alike."""

import hashlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt64
from PIL import Image
from scipy.fft import dctn

from zsltf.data.images import Images
from zsltf.files import atomic_file, cache_directory

__all__ = ["perceptual_hashes"]

Hashes = tuple[UInt64[np.ndarray, " N"], Bool[np.ndarray, " N"]]
_VERSION = 1  # part of the cache's key: raise it when decoding or the hash changes


def perceptual_hashes(images: Images) -> Hashes:
    """64 bits an image, and whether it could be decoded; the same images again are read from the cache directory.

    The image is made grey and 32 x 32; a bit says whether one of its 8 x 8 lowest cosine frequencies is above the
    median of all but the mean.
    """
    key = hashlib.sha256(f"{_VERSION} ".encode() + images.signature()).hexdigest()[:32]
    file = cache_directory() / "hashes" / f"{key}.npz"
    kept = _load(file)
    if kept is not None:
        return kept
    with ThreadPoolExecutor() as pool:  # Pillow releases the lock
        found = list(pool.map(lambda index: _hash(images, index), range(len(images))))
    known = np.array([value is not None for value in found], bool)
    hashes = np.array([value or 0 for value in found], np.uint64)
    with atomic_file(file) as staging, staging.open("wb") as stream:
        np.savez(stream, hashes=hashes, known=known)
    return hashes, known


def _load(file: Path) -> Hashes | None:
    """None where there is no cache, or a damaged one."""
    try:
        with np.load(file, allow_pickle=False) as kept:
            return kept["hashes"], kept["known"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _hash(images: Images, index: int, side: int = 32) -> int | None:
    try:
        pixels = Image.fromarray(images.load(index, side, "stretch"))
    except ValueError:
        return None
    grey = np.asarray(pixels.convert("L").resize((side, side), Image.Resampling.BILINEAR), np.float64)
    low = dctn(grey, norm="ortho")[:8, :8].ravel().round(6)  # rounded: a picture of one colour has no noise to hash
    return int.from_bytes(np.packbits(low > np.median(low[1:])).tobytes(), "big")
