"""Ridge regression from classes' attributes to their examples' features."""

import numpy as np
from jaxtyping import Float
from sklearn.linear_model import ridge_regression

__all__ = ["solve_ridge"]


def solve_ridge(
    s: Float[np.ndarray, "C A"], counts: Float[np.ndarray, " C"], sums: Float[np.ndarray, "C D"], ridge: float
) -> Float[np.ndarray, "A D"]:
    """Return W that minimises |X - T W|^2 + l |W|^2, T (N, A) the attributes of each image's class, X its features.

    The classes' means, weighted by their images, have the same minimiser: the smaller of two systems, A x A or C x C.

    Args:
        s: attributes of the C classes.
        counts: images of each; a class without any has no say.
        sums: of their features.
        ridge: l, > 0.
    """
    known = counts > 0
    means = sums[known] / counts[known, None]
    weights = {"sample_weight": counts[known].astype(np.float64), "solver": "cholesky"}
    return ridge_regression(s[known].astype(np.float64), means, ridge, **weights).T
