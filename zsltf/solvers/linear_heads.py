"""Many two-way linear classifiers on the same features, fitted together."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh
from scipy.special import expit

from zsltf.solvers.newton import PointwiseLoss, newton

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
    """Kernel and, in the last row, bias of K heads that minimise mean loss + penalty / 2 |kernel|^2.

    Newton's method is run in coordinates in which the loss is about equally curved in every direction, and which the
    examples span: its conjugate gradients need tens of steps where the features' own coordinates take thousands.

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
    pointwise, curvature = _LOSSES[loss]
    mean = (share * x).sum(axis=0)
    basis, variances = _span(np.sqrt(share) * (x - mean))
    curved = curvature * variances + penalty
    basis = basis / np.sqrt(curved)
    z_of = np.concatenate([(x - mean) @ basis, np.full((len(x), 1), curvature**-0.5)], axis=1)
    ridge = np.append(penalty / curved, 0.0)[:, None]
    begin = np.zeros((len(ridge), targets.shape[1]))
    if start is not None:
        begin[:-1] = curved[:, None] * (basis.T @ start[:-1])
        begin[-1] = curvature**0.5 * (start[-1] + mean @ start[:-1])
    w = newton(z_of, targets, share, ridge, pointwise, begin)
    kernel = basis @ w[:-1]
    return np.concatenate([kernel, [curvature**-0.5 * w[-1] - mean @ kernel]])


def _span(x: Float[np.ndarray, "N D"]) -> tuple[Float[np.ndarray, "D R"], Float[np.ndarray, " R"]]:
    """Orthonormal directions in which x varies, and x'x in them; from the smaller of the two matrices of products."""
    wide = len(x) < x.shape[1]
    variances, vectors = eigh(x @ x.T if wide else x.T @ x, driver="evd")
    there = variances > max(x.shape) * np.finfo(float).eps * max(variances[-1], 0.0)
    variances, vectors = variances[there], vectors[:, there]
    return (x.T @ vectors / np.sqrt(variances) if wide else vectors), variances


def _logistic(z: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    p = expit(z)
    return np.logaddexp(0, z) - targets * z, p - targets, p * (1 - p)


def _squared_hinge(z: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    positive, negative = np.maximum(1 - z, 0), np.maximum(1 + z, 0)
    value = targets * positive**2 + (1 - targets) * negative**2
    slope = 2 * ((1 - targets) * negative - targets * positive)
    return value, slope, 2.0 * (targets * (positive > 0) + (1 - targets) * (negative > 0))


_LOSSES: dict[str, tuple[PointwiseLoss, float]] = {
    "logistic": (_logistic, 0.25),
    "squared_hinge": (_squared_hinge, 2.0),
}
"""With the largest curvature."""
