"""A convex quadratic in a box, between two bounds of the sum."""

import numpy as np
from jaxtyping import Float

__all__ = ["box_program"]


def box_program(
    quadratic: Float[np.ndarray, "N N"],
    linear: Float[np.ndarray, " N"],
    *,
    upper: float,
    sums: tuple[float, float],
    steps: int = 1000,
    tolerance: float = 1e-6,
) -> Float[np.ndarray, " N"]:
    """The w that minimises w'Qw / 2 - q'w with 0 <= w <= upper and sums[0] <= sum w <= sums[1].

    Source: Beck & Teboulle, "A fast iterative shrinkage-thresholding algorithm", SIAM Journal on Imaging Sciences 2009;
        restarts as in O'Donoghue & Candes, "Adaptive restart for accelerated gradient schemes", 2015.

    Args:
        quadratic: Q, symmetric, positive semidefinite.
        linear: q.
        upper: of each w.
        sums: bounds of the sum; they must leave room in the box.
        steps: at most so many.
        tolerance: of a step's largest change, as a share of the largest w, at which it ends.
    """
    rate = 1.0 / max(float(np.linalg.eigvalsh(quadratic)[-1]), 1e-12)
    w = look = _project(np.full(len(linear), sum(sums) / 2 / len(linear)), upper, sums)
    momentum = 1.0
    for _ in range(steps):
        new = _project(look - rate * (quadratic @ look - linear), upper, sums)
        change = new - w
        if np.abs(change).max() <= tolerance * max(float(np.abs(new).max()), 1e-12):
            return new
        if (look - new) @ change > 0:  # momentum leads uphill
            momentum, w, look = 1.0, new, new
            continue
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        look = new + (momentum - 1) / following * change
        momentum, w = following, new
    return w


def _project(w: Float[np.ndarray, " N"], upper: float, sums: tuple[float, float]) -> Float[np.ndarray, " N"]:
    """The nearest point of the box whose sum is within its bounds: the box's after a common shift."""
    clipped = np.clip(w, 0.0, upper)
    wanted = np.clip(clipped.sum(), *sums)
    if wanted == clipped.sum():
        return clipped
    low, high = -w.max(), upper - w.min()  # all 0, all upper
    for _ in range(60):
        shift = (low + high) / 2
        low, high = (shift, high) if np.clip(w + shift, 0.0, upper).sum() < wanted else (low, shift)
    return np.clip(w + (low + high) / 2, 0.0, upper)
