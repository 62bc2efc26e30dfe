"""Newton's method for many linear models on the same examples."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

__all__ = ["PointwiseLoss", "newton"]

PointwiseLoss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""Value, slope and curvature at each score, of its target."""

_STEPS = 200
_HALVINGS = 40
_FLAT = 1e-9
_EPSILON, _TINY = float(np.finfo(float).eps), float(np.finfo(float).tiny)


def newton(
    x: Float[np.ndarray, "N D"],
    targets: Float[np.ndarray, "N K"],
    share: Float[np.ndarray, "N 1"],
    ridge: Float[np.ndarray, "D 1"],
    loss: PointwiseLoss,
    start: Float[np.ndarray, "D K"],
) -> Float[np.ndarray, "D K"]:
    """Each column w minimises sum_i share_i loss(x_i w, target_i) + w' diag(ridge) w / 2.

    A column has its own conjugate gradients, length of step and end, whatever the others need: together, a column whose
    two sides can be separated is left far from its minimum. Products with x are shared.

    Source: Lin, Weng & Keerthi, "Trust region Newton method for large-scale logistic regression", JMLR 2008; with a
        line search in place of the trust region.

    Args:
        x: examples.
        targets: a column a model.
        share: of the examples, sum 1.
        ridge: >= 0.
        loss: convex.
        start: where to begin.
    """
    w, left = start.copy(), np.arange(start.shape[1])
    for _ in range(_STEPS):
        z = x @ w[:, left]
        _, slope, curvature = loss(z, targets[:, left])
        gradient = x.T @ (share * slope) + ridge * w[:, left]
        going = np.abs(gradient).max(axis=0) > _FLAT
        left, z, gradient, curvature = left[going], z[:, going], gradient[:, going], curvature[:, going]
        if not left.size:
            break
        move = _solved(x, share * curvature, ridge, gradient)
        ahead, here, known = x @ move, w[:, left], targets[:, left]

        def height(step: np.ndarray) -> np.ndarray:
            value = loss(z + step * ahead, known)[0]  # noqa: B023
            return (share * value).sum(axis=0) + (ridge * (here + step * move) ** 2).sum(axis=0) / 2  # noqa: B023

        step = _step(height, (gradient * move).sum(axis=0))
        w[:, left] = here + step * move
        left = left[step > 0]
    return w


def _solved(
    x: Float[np.ndarray, "N D"],
    curvature: Float[np.ndarray, "N K"],
    ridge: Float[np.ndarray, "D 1"],
    gradient: Float[np.ndarray, "D K"],
) -> Float[np.ndarray, "D K"]:
    """Newton's move of each column, as exactly as its gradient is small."""
    move, remainder, direction = np.zeros_like(gradient), -gradient, -gradient
    square = (gradient**2).sum(axis=0)
    enough = np.minimum(0.1, np.sqrt(square)) * square
    for _ in range(2 * len(gradient)):
        bent = x.T @ (curvature * (x @ direction)) + ridge * direction
        bend = (direction * bent).sum(axis=0)
        going = (square > enough) & (bend > 0)
        if not going.any():
            break
        length = np.divide(square, bend, out=np.zeros_like(square), where=going)
        move, remainder = move + length * direction, remainder - length * bent
        latest = (remainder**2).sum(axis=0)
        direction, square = remainder + latest / np.maximum(square, _TINY) * direction, latest
    return move


def _step(height: Callable[[np.ndarray], np.ndarray], slope: Float[np.ndarray, " K"]) -> Float[np.ndarray, " K"]:
    """The first of 1, 1/2, 1/4, ... that goes down enough; 0 where none does."""
    step, ground = np.where(slope < 0, 1.0, 0.0), height(np.zeros_like(slope))
    for _ in range(_HALVINGS):
        high = height(step) > ground + 1e-4 * step * slope + _EPSILON * ground
        if not high.any():
            break
        step = np.where(high, step / 2, step)
    return np.where(high, 0.0, step)
