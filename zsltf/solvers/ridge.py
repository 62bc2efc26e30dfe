"""Ridge regression from classes' attributes to their examples' features."""

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve

__all__ = ["solve_ridge"]


def solve_ridge(
    s: Float[np.ndarray, "C A"], counts: Float[np.ndarray, " C"], sums: Float[np.ndarray, "C D"], ridge: float
) -> Float[np.ndarray, "A D"]:
    """Return W that minimises |X - T W|^2 + l |W|^2, T (N, A) the attributes of each image's class, X its features.

    Args:
        s: attributes of the C classes.
        counts: images of each; a class without any has no say.
        sums: of their features.
        ridge: l, > 0.
    """
    s = s.astype(np.float64)
    return solve(s.T @ (counts[:, None] * s) + ridge * np.eye(s.shape[1]), s.T @ sums, assume_a="pos")
