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
        agreement: share of images with the same top class, among those whose margin exceeds the tolerance.
    """

    difference: float
    agreement: float


def compare(expected: Float[np.ndarray, "N C"], got: Float[np.ndarray, "N C"], tolerance: float) -> Parity:
    """Measure scores against their own spread over classes, so that one tolerance fits every method's scale.

    With a single class there is no spread: the scores' own size stands in.
    """
    spread = np.median(expected.std(axis=1)) if expected.shape[1] > 1 else np.median(np.abs(expected))
    top = np.sort(expected, axis=1)[:, -2:]
    decided = (top[:, -1] - top[:, 0] > tolerance * spread) if expected.shape[1] > 1 else np.ones(len(expected), bool)
    same = expected.argmax(axis=1) == got.argmax(axis=1)
    return Parity(
        difference=float(np.abs(expected.astype(np.float64) - got).max() / spread),
        agreement=float(same[decided].mean()) if decided.any() else 1.0,
    )
