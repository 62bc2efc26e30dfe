"""The one error style: what, expected, received, fix."""

import difflib
import math
from collections.abc import Iterable, Sequence
from typing import NoReturn

import numpy as np

__all__ = [
    "check_choice",
    "check_finite",
    "check_not_negative",
    "check_positive",
    "check_seed",
    "check_sentences",
    "check_shape",
    "check_share",
    "fail",
]

_MOST_SEED = 2**32 - 1
_PIECE = 2**24  # numbers


def fail(what: str, expected: str, received: str, fix: str) -> NoReturn:
    """Raise ValueError in the house's style."""
    raise ValueError(f"{what}: expected {expected}, received {received}. {fix}")


def check_positive(owner: str, **values: float) -> None:
    """Each value is a finite number > 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            fail(f"{owner}.{name}", "a number > 0", f"{value:g}", "Start from the default")


def check_not_negative(owner: str, **values: float) -> None:
    """Each value is a finite number >= 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            fail(f"{owner}.{name}", "a number >= 0", f"{value:g}", "0 turns it off.")


def check_seed(owner: str, seed: int, name: str = "seed") -> None:
    """The seed is one that NumPy and Keras both take."""
    if not 0 <= seed <= _MOST_SEED:
        fail(f"{owner}.{name}", f"0 to {_MOST_SEED}", str(seed), "Start from the default.")


def check_share(owner: str, **values: float) -> None:
    """Each value is in [0, 1)."""
    for name, value in values.items():
        if not 0 <= value < 1:
            fail(f"{owner}.{name}", "a share in [0, 1)", f"{value:g}", "Start from the default.")


def check_shape(what: str, array: np.ndarray, shape: Sequence[int | None], fix: str) -> None:
    """The array has this shape; None stands for any length."""
    if array.ndim != len(shape) or any(want not in (None, got) for want, got in zip(shape, array.shape, strict=True)):
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
        fail(what, f"shape {wanted}", f"shape {array.shape}", fix)


def check_finite(what: str, array: np.ndarray, fix: str) -> None:
    """No NaN and no infinity; the first offender is named by its index. An array on disk is read a piece at a time."""
    rows = np.atleast_1d(array)
    step = max(1, _PIECE // max(1, rows[:1].size))
    for start in range(0, len(rows), step):
        wrong = np.argwhere(~np.isfinite(rows[start : start + step]))
        if len(wrong):
            index = (start + int(wrong[0][0]), *map(int, wrong[0][1:]))[: array.ndim]
            fail(what, "finite numbers", f"{array[index]} at {index}", fix)


def check_choice(what: str, value: str, choices: Iterable[str]) -> None:
    """The value is one of the choices; a near miss is suggested."""
    known = sorted(choices)
    if value in known:
        return
    near = difflib.get_close_matches(value, known, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else "Choose one of them."
    fail(what, f"one of {', '.join(known) or '(none)'}", f"'{value}'", hint)


def check_sentences(sentences: Sequence[str]) -> None:
    """There is a list of one sentence or more, and none is empty."""
    if isinstance(sentences, str):
        fail("sentences", "a list of texts", f"the text {sentences!r:.40} by itself", "Put it into a list.")
    odd = [sentence for sentence in sentences if not isinstance(sentence, str)]
    if odd:
        fail("sentences", "a list of texts", f"{type(odd[0]).__name__} {odd[0]!r:.40}", "Write what it says.")
    empty = [i for i, sentence in enumerate(sentences) if not sentence.strip()]
    if empty or not sentences:
        fail("sentences", "text", f"nothing in number {empty[0] + 1}" if empty else "none", "Write what it says.")
