"""A set with the zero-shot benchmark's split, checked for whatever would flatter its results."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

import numpy as np
from jaxtyping import Int

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.split_digest import split_digest

__all__ = ["LOCATIONS", "BenchmarkSet"]

LOCATIONS = ("train", "val", "trainval", "test_seen", "test_unseen")
"""The parts of a split."""
_PIECE = 4096  # rows hashed at a time
_OF_DIFFERENT_CLASSES = (
    ("trainval", "test_unseen"),
    ("train", "val"),
    ("train", "test_unseen"),
    ("val", "test_unseen"),
    ("test_seen", "test_unseen"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class BenchmarkSet:
    """Features of all images, the class table, and who is in which part; locations are rows of the features.

    Source: Xian, Lampert, Schiele & Akata, "Zero-shot learning: a comprehensive evaluation of the good, the bad and the
    ugly", TPAMI 2019.

    Raises:
        ValueError: if the split leaks, names an image that is not there or one twice, or has too few classes.
    """

    name: str
    features: Features
    classes: ClassTable
    """Seen are the classes of `trainval`."""
    train: Int[np.ndarray, " a"]
    """Images to fit on while settings are chosen; no class of `val` is among theirs."""
    val: Int[np.ndarray, " b"]
    trainval: Int[np.ndarray, " c"]
    """Images to fit on in the end."""
    test_seen: Int[np.ndarray, " d"]
    test_unseen: Int[np.ndarray, " e"]
    known_to_backbone: tuple[str, ...] | None = None
    """Unseen classes on which the network was trained that made the features; None where nobody has told."""

    def __post_init__(self) -> None:
        for name in LOCATIONS:
            self._check_rows(name, getattr(self, name))
        self._check_apart("trainval", "test_seen")
        for one, other in _OF_DIFFERENT_CLASSES:
            self._check_apart(one, other)
            both = np.intersect1d(self.labels(one), self.labels(other))
            if len(both):
                self._fail(f"{one}_loc and {other}_loc", "different classes", f"{self._named(both)} in both")
        strange = np.setdiff1d(self.labels("test_seen"), self.labels("trainval"))
        if len(strange):
            self._fail("test_seen_loc", "classes of trainval_loc", f"{self._named(strange)} too")
        self._check_classes("test_unseen", self.test_unseen, 2)
        self._check_classes("val", self.untested("val"), 2)
        self._check_classes("train", self.untested("train"), 1)

    def labels(self, location: str) -> Int[np.ndarray, " n"]:
        """Rows of the class table, of the images of a part such as "trainval"."""
        return self.features.y[getattr(self, location)]

    def untested(self, location: str) -> Int[np.ndarray, " n"]:
        """The images of "train" or "val" that are in trainval: the benchmark's own files test the others as seen."""
        rows = getattr(self, location)
        return rows[np.isin(rows, self.trainval)]

    @cached_property
    def digest(self) -> str:
        """Sha-256 of the index vectors, 16 digits: results under different splits must not be compared."""
        return split_digest({name: getattr(self, name) for name in LOCATIONS})

    @cached_property
    def data_digest(self) -> str:
        """Sha-256 of all but the split, 16 digits: whether it is still the same data."""
        digest = hashlib.sha256(repr((self.classes.names, self.known_to_backbone)).encode())
        for array in (self.features.x, self.features.y, self.classes.semantics):
            digest.update(f"{array.dtype} {array.shape}".encode())
            for start in range(0, len(array), _PIECE):
                digest.update(np.ascontiguousarray(array[start : start + _PIECE]).data)
        return digest.hexdigest()[:16]

    def _check_rows(self, name: str, rows: Int[np.ndarray, " n"]) -> None:
        if not len(rows) or rows.min() < 0 or rows.max() >= len(self.features):
            received = f"{rows.min() + 1} to {rows.max() + 1}" if len(rows) else "none"
            self._fail(f"{name}_loc", f"images 1 to {len(self.features)}, counted from 1", received)
        counts = np.bincount(rows)
        if counts.max() > 1:
            self._fail(f"{name}_loc", "each image once", f"image {counts.argmax() + 1} {counts.max()} times")

    def _check_apart(self, one: str, other: str) -> None:
        both = np.intersect1d(getattr(self, one), getattr(self, other))
        if len(both):
            received = f"{len(both)} in both, such as image {both[0] + 1}"
            self._fail(f"{one}_loc and {other}_loc", "different images", received)

    def _check_classes(self, name: str, rows: Int[np.ndarray, " n"], least: int) -> None:
        count, of = len(np.unique(self.features.y[rows])), "" if name == "test_unseen" else " of trainval_loc"
        if count < least:
            expected = f"images{of} of at least {least} {'class' if least == 1 else 'classes'}"
            self._fail(f"{name}_loc", expected, str(count), "Split it otherwise.")

    def _named(self, labels: Int[np.ndarray, " n"]) -> str:
        return ", ".join(self.classes.names[i] for i in labels[:5])

    def _fail(self, what: str, expected: str, received: str, fix: str = "Make the files again.") -> NoReturn:
        fail(f"{self.name}, {what}", expected, received, fix)
