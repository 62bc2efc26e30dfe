"""Words over ten units, written as strips of handwritten digits."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from zsltf.checks import check_positive, fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.shares import random_share
from zsltf.data.words import word_table

__all__ = ["DigitStrips", "StripSource", "read_digits"]

_DIGITS = tuple("0123456789")


@dataclass(frozen=True, kw_only=True, eq=False)
class DigitStrips:
    """Strips as pixel vectors; no handwritten digit is in both parts, and no unseen word's strip in `train`."""

    train: Features
    test: Features
    words: ClassTable
    shape: tuple[int, int]
    """Height and width of a strip."""


@dataclass(frozen=True, kw_only=True)
class StripSource:
    """Which words are written, by whose digits."""

    digits: Path | None = None
    """A .npz of `x` (N, h, w), 8-bit, and `y` (N,), such as MNIST; by default the 1,797 digits of scikit-learn."""
    seen: int = 100
    """Words that training has."""
    unseen: int = 100
    """Words that it never has: their units in their slots are known, but not together."""
    slots: int = 3
    """Most digits of a word; half of the words are one shorter, and end in a blank."""
    strips: int = 20
    """Of each word, in either part that has it."""

    def __post_init__(self) -> None:
        sizes = {name: getattr(self, name) for name in ("seen", "unseen", "slots", "strips")}
        check_positive("StripSource", **sizes)
        room = 10 ** (self.slots - 1) if self.slots > 1 else 20
        if self.seen + self.unseen > 2 * room:
            received = f"{self.seen + self.unseen} words"
            fail(
                "StripSource",
                f"at most {2 * room} words of {self.slots} slots",
                received,
                "Ask for fewer, or more slots.",
            )

    def draw(self, seed: int = 0) -> DigitStrips:
        """Choose words, and write them with digits of two disjoint pools.

        Args:
            seed: of the words, the pools and the strips.
        """
        rng = np.random.default_rng(seed)
        images, values = read_digits(self.digits)
        names = self._words(rng)
        seen = np.arange(len(names)) < self.seen
        words = word_table({name: [list(name)] for name in names}, _DIGITS, seen, slots=self.slots)
        for_test = random_share(values, 0.4, seed)
        spelled = [(i, name) for i, name in enumerate(names) for _ in range(self.strips)]
        known = [(i, name) for i, name in spelled if seen[i]]
        train, test = (
            _written(wanted, images[pool], values[pool], self.slots, rng)
            for wanted, pool in ((known, ~for_test), (spelled, for_test))
        )
        height, width = images.shape[1:]
        return DigitStrips(train=train, test=test, words=words, shape=(height, self.slots * width))

    def _words(self, rng: np.random.Generator) -> list[str]:
        """Different words, half of them with an empty last slot; whose is seen is chance."""
        count = self.seen + self.unseen
        long = count if self.slots == 1 else count - count // 2
        names: list[str] = []
        for length, number in ((self.slots, long), (self.slots - 1, count - long)):
            names += [f"{n:0{length}d}" for n in rng.choice(10**length, number, replace=False)]
        return [names[i] for i in rng.permutation(count)]


def read_digits(path: Path | None = None) -> tuple[Float[np.ndarray, "N h w"], Int[np.ndarray, " N"]]:
    """Pictures in [0, 1] and their digits.

    Raises:
        ValueError: for a file without `x` and `y`, or one that lacks a digit.
    """
    if path is None:
        from sklearn.datasets import load_digits

        bundle = load_digits()
        return bundle.images.astype(np.float32) / 16, bundle.target
    with np.load(path, allow_pickle=False) as file:
        if not {"x", "y"} <= set(file.files):
            fail(str(path), "arrays x and y", f"{', '.join(file.files)}", "Save the pictures as x, their digits as y.")
        x, y = file["x"], file["y"]
    if x.ndim != 3 or len(x) != len(y) or set(np.unique(y)) != set(range(10)):
        fail(str(path), "x (N, h, w) and y with all digits 0 to 9", f"x {x.shape}, y {y.shape}", "Mend the file.")
    return x.astype(np.float32) / 255, y.astype(np.int64)


def _written(
    spelled: Sequence[tuple[int, str]], images: np.ndarray, values: np.ndarray, slots: int, rng: np.random.Generator
) -> Features:
    """A strip for each word, as one row of pixels; empty slots are black."""
    height, width = images.shape[1:]
    strips = np.zeros((len(spelled), height, slots, width), np.float32)
    pools = [np.flatnonzero(values == digit) for digit in range(10)]
    for strip, (_, word) in zip(strips, spelled, strict=True):
        for slot, unit in enumerate(word):
            strip[:, slot] = images[rng.choice(pools[int(unit)])]
    return Features(x=strips.reshape(len(spelled), -1), y=np.array([label for label, _ in spelled]))
