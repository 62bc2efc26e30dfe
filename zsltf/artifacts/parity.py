"""How far a file's scores are from Keras'."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["Parity", "compare"]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """The difference of two score matrices.

    Args:
        difference: largest |a - b|, divided by the median over images of the standard deviation over classes.
        agreement: share of images whose top class by b is the one by a, or one that a scores less than the tolerance
            times the same deviation below it: between such two, rounding decides.
    """

    difference: float
    agreement: float


def compare(expected: Float[np.ndarray, "N C"], got: Float[np.ndarray, "N C"], tolerance: float) -> Parity:
    """Measure scores against their own spread over classes, so that one tolerance fits every method's scale.

    With a single class there is no spread: the scores' own size stands in.
    """
    spread = np.median(expected.std(axis=1)) if expected.shape[1] > 1 else np.median(np.abs(expected))
    chosen = np.take_along_axis(expected, got.argmax(axis=1)[:, None], axis=1)[:, 0]
    return Parity(
        difference=float(np.abs(expected.astype(np.float64) - got).max() / spread),
        agreement=float((expected.max(axis=1) - chosen <= tolerance * spread).mean()),
    )
