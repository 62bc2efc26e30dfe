"""Unlabelled: examples whose classes nobody tells."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_finite, fail

__all__ = ["Unlabelled", "check_unlabelled"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Unlabelled:
    """M examples of a target domain, or for pretraining: pooled vectors (M, D) or preprocessed images (M, H, W, D).

    Args:
        x: the examples, float32; may be memory-mapped.
        paths: where each came from, for the report.

    Raises:
        ValueError: if there is none, or a value is not finite.
    """

    x: Float[np.ndarray, "M *D"]
    paths: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.x.ndim not in (2, 4) or not len(self.x):
            fail("Unlabelled.x", "shape (M, D) or (M, H, W, D), M > 0", f"shape {self.x.shape}", "Give examples.")
        check_finite("Unlabelled.x", self.x, "Check the backbone's weights and precision.")
        if self.paths and len(self.paths) != len(self.x):
            fail("Unlabelled.paths", f"{len(self.x)} paths", str(len(self.paths)), "Give one an example.")

    def __len__(self) -> int:
        return len(self.x)


def check_unlabelled(what: str, target: Any, like: np.ndarray, *, fewest: int = 1) -> None:
    """Refuse examples that bring labels, such of another shape than those that they go with, and too few of either.

    Args:
        what: is named in the message.
        target: what should be Unlabelled.
        like: labelled examples (N, ...).
        fewest: that either may be.
    """
    if not isinstance(target, Unlabelled):
        fix = "Leave the labels to the evaluation: give features.unlabelled()."
        fail(f"{what}, target", "Unlabelled examples", type(target).__name__, fix)
    if target.x.shape[1:] != like.shape[1:]:
        expected, received = f"shape (M, {', '.join(map(str, like.shape[1:]))})", f"shape {target.x.shape}"
        fail(f"{what}, target", expected, received, "Bring both domains through the same backbone and size.")
    for name, count in (("target", len(target)), ("source", len(like))):
        if count < fewest:
            fail(f"{what}, {name}", f"{fewest} examples or more", str(count), "Give more.")
