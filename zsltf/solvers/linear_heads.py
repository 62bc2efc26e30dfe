"""Many two-way linear classifiers on the same features, fitted together."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import expit

__all__ = ["linear_heads"]

Loss = Literal["logistic", "squared_hinge"]


def linear_heads(
    x: Float[np.ndarray, "N D"],
    targets: Float[np.ndarray, "N K"],
    weights: Float[np.ndarray, " N"],
    penalty: float,
    loss: Loss = "logistic",
    start: Float[np.ndarray, "D+1 K"] | None = None,
) -> Float[np.ndarray, "D+1 K"]:
    """Kernel and, in the last row, bias of K heads that minimise mean loss + penalty / 2 |kernel|^2, by L-BFGS.

    Args:
        x: features.
        targets: in [0, 1]: the share of the positive side.
        weights: of the examples; only their proportions count.
        penalty: > 0, of the kernel and not of the bias.
        loss: "logistic" is cross-entropy with the targets, "squared_hinge" max(0, 1 - margin)^2 of either side.
        start: where to begin; zeros by default.
    """
    x, targets = np.asarray(x, np.float64), np.asarray(targets, np.float64)
    share = (weights / weights.sum())[:, None]
    shape = (x.shape[1] + 1, targets.shape[1])

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(shape)
        z = x @ w[:-1] + w[-1]
        value, slope = _LOSSES[loss](z, targets)
        slope = share * slope
        gradient = np.concatenate([x.T @ slope + penalty * w[:-1], slope.sum(axis=0, keepdims=True)])
        return float((share * value).sum() + penalty / 2 * (w[:-1] ** 2).sum()), gradient.ravel()

    begin = np.zeros(shape) if start is None else start
    options = {"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-15, "gtol": 1e-8}
    return minimize(objective, begin.ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(shape)


def _logistic(z: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.logaddexp(0, z) - targets * z, expit(z) - targets


def _squared_hinge(z: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    positive, negative = np.maximum(1 - z, 0), np.maximum(1 + z, 0)
    value = targets * positive**2 + (1 - targets) * negative**2
    return value, 2 * ((1 - targets) * negative - targets * positive)


_LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "logistic": _logistic,
    "squared_hinge": _squared_hinge,
}
