"""Leakage: the same picture, or nearly the same, for training and for testing."""

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from zsltf.checks import fail
from zsltf.data.images import Images
from zsltf.data.perceptual import perceptual_hashes

__all__ = [
    "Parts",
    "Twins",
    "check_leakage",
    "class_duplicates",
    "duplicate_groups",
    "near_duplicates",
]

_NEAR = 8  # bits
_BLOCK = 1 << 17  # comparisons at once: 1 MB stays in the processor's cache
_WHOLE = 1 << 16  # pixels; no photo is bigger, so none is shrunk


class Parts(Protocol):
    """Images in parts: a Split, or folds."""

    def parts(self) -> dict[str, np.ndarray]:
        """Name -> rows of each part that holds images."""


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Two images of two parts that show the same."""

    first: str
    """Name of the part and of the image."""
    second: str
    """Name of the part and of the image."""
    distance: int | None = None
    """Bits of 64 in which their perceptual hashes differ; None for images that are the same in every byte."""

    def __str__(self) -> str:
        bits = "" if self.distance is None else f" ({self.distance} of 64 bits differ)"
        return f"{self.first} = {self.second}{bits}"


def check_leakage(images: Images, split: Parts, *, decoded: bool = False) -> None:
    """Refuse a split with the same image in two parts.

    Args:
        images: every image of the split is read.
        split: the parts.
        decoded: compare the pixels, so that other metadata or another lossless format doesn't hide a copy.

    Raises:
        ValueError: listing the pairs.
    """
    pairs = _same(images, split, decoded)
    if pairs:
        received = f"{len(pairs)} that are: {'; '.join(map(str, pairs[:10]))}"
        fix = "Remove one of each, give both one group, or pass --allow-leakage."
        fail("split", "no image in two parts", received, fix)


def near_duplicates(images: Images, split: Parts, *, distance: int = _NEAR, most: int = 1000) -> tuple[Twins, ...]:
    """Pairs of images of two parts whose perceptual hashes differ in few bits.

    The default is strict: copies that were recompressed, resized or slightly cropped are found. Of the 1.8 million
    pairs of 1,880 animal photos it names some 150, none of them of two kinds of animal; 12 bits name some 20 more,
    three of which are.

    Args:
        images: every image of the split is decoded, small; what can't be decoded is passed over.
        split: the parts.
        distance: most bits of 64 that may differ.
        most: stop after so many pairs.

    Warns:
        UserWarning: of how many there are, with the first ones.
    """
    hashes, known = perceptual_hashes(images)
    parts = {part: rows[known[rows]] for part, rows in split.parts().items()}
    pairs = (
        Twins(first=f"{part} {images.names[rows[i]]}", second=f"{other} {images.names[others[j]]}", distance=bits)
        for (part, rows), (other, others) in combinations(parts.items(), 2)
        for i, j, bits in _close(hashes[rows], hashes[others], distance)
    )
    found = tuple(islice(pairs, most))
    _warn("two parts", found, "Pass --group-duplicates to keep them together; the report lists them all.")
    return found


def class_duplicates(
    images: Images, tested: Bool[np.ndarray, " N"], *, distance: int = _NEAR, most: int = 1000
) -> tuple[Twins, ...]:
    """Pairs of images of two classes, or of one class for training and for testing, with nearly the same hash.

    Args:
        images: see `near_duplicates`; so are `distance` and `most`.
        tested: which ones are not for training.
        distance: most bits of 64 that may differ.
        most: stop after so many pairs.

    Warns:
        UserWarning: of how many there are, with the first ones.
    """
    hashes, known = perceptual_hashes(images)
    rows = np.flatnonzero(known)
    near = ((rows[i], rows[j], bits) for i, j, bits in _close(hashes[rows], hashes[rows], distance) if i < j)
    named = [f"{'test' if test else 'train'} {name}" for name, test in zip(images.names, tested, strict=True)]
    pairs = (
        Twins(first=named[i], second=named[j], distance=bits)
        for i, j, bits in near
        if images.y[i] != images.y[j] or tested[i] != tested[j]
    )
    found = tuple(islice(pairs, most))
    _warn("two classes, or for training and testing,", found, "Remove one of each; the report lists them all.")
    return found


def _warn(where: str, found: Sequence[Twins], advice: str) -> None:
    if found:
        first = "; ".join(map(str, found[:3]))
        told = f"pairs of images in {where} that look nearly the same: {len(found)}, such as {first}. {advice}"
        warnings.warn(told, stacklevel=3)


def duplicate_groups(images: Images, *, distance: int = _NEAR) -> Int[np.ndarray, " N"]:
    """A number for each image, the same for near-duplicates: groups for a split that keeps copies on one side."""
    hashes, known = perceptual_hashes(images)
    different, inverse = np.unique(hashes, return_inverse=True)
    pairs = np.array([(i, j) for i, j, _ in _close(different, different, distance)]).reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(len(different),) * 2)
    group = connected_components(graph, directed=False)[1][inverse].astype(np.int64)
    return np.where(known, group, len(images) + np.arange(len(images)))


def _close(a: np.ndarray, b: np.ndarray, distance: int) -> Iterator[tuple[int, int, int]]:
    """Index in a, index in b and distance of each close pair; block by block, for N x M may not fit in memory."""
    step = max(1, _BLOCK // max(1, len(b)))
    for start in range(0, len(a), step):
        bits = np.bitwise_count(a[start : start + step, None] ^ b)
        rows, columns = np.nonzero(bits <= distance)
        yield from zip((start + rows).tolist(), columns.tolist(), bits[rows, columns].tolist(), strict=True)


def _same(images: Images, split: Parts, decoded: bool) -> list[Twins]:
    """Pairs of the first image of each part that holds the same bytes."""
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(lambda index: _digest(images, index, decoded), range(len(images))))
    holders: dict[bytes, dict[str, str]] = {}
    for part, rows in split.parts().items():
        for row in rows:
            holders.setdefault(digests[row], {}).setdefault(part, f"{part} {images.names[row]}")
    pairs = [pair for held in holders.values() for pair in combinations(held.values(), 2)]
    return [Twins(first=first, second=second) for first, second in pairs]


def _digest(images: Images, index: int, decoded: bool) -> bytes:
    if not decoded:
        return images.digest(index)
    try:
        pixels = images.load(index, _WHOLE, "stretch")
    except ValueError:
        return images.digest(index)
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).digest()
