"""How well features will transfer to labels, without training a head."""

import numpy as np
from jaxtyping import Float, Int

from zsltf.checks import fail

__all__ = ["h_score", "leep", "log_me"]

_STEPS = 100


def _check_varies(x: Float[np.ndarray, "N D"]) -> None:
    if not np.ptp(x, axis=0).any():
        fail("features", "different ones for different images", "the same for all", "Check the backbone's weights.")


def log_me(x: Float[np.ndarray, "N D"], y: Int[np.ndarray, " N"]) -> float:
    """Log evidence an example of a Bayesian linear model of each class (1, and 0 elsewhere), mean over classes.

    Source: You, Liu, Wang & Long, "LogME: practical assessment of pre-trained models for transfer learning", ICML 2021.

    Args:
        x: features.
        y: classes.

    Returns:
        In nats; higher is better.
    """
    x = np.asarray(x, np.float64)
    _check_varies(x)
    left, values, _ = np.linalg.svd(x, full_matrices=False)
    return float(np.mean([_evidence(left, values**2, (y == c).astype(float), x.shape[1]) for c in np.unique(y)]))


def _evidence(
    left: Float[np.ndarray, "N R"], squares: Float[np.ndarray, " R"], target: Float[np.ndarray, " N"], width: int
) -> float:
    """The highest log evidence over prior precision a and noise precision b, by MacKay's fixed point."""
    count = len(target)
    parts = (left.T @ target) ** 2
    rest = max(float(target @ target - parts.sum()), 0.0)  # outside the features' span
    a, b = 1.0, 1.0
    for _ in range(_STEPS):
        ratio = a / b
        gamma = float(np.sum(squares / (ratio + squares)))
        weights = float(np.sum(squares * parts / (ratio + squares) ** 2))
        residual = float(np.sum(parts * (ratio / (ratio + squares)) ** 2)) + rest
        new_a, new_b = gamma / max(weights, 1e-12), (count - gamma) / max(residual, 1e-12)
        done = abs(new_a / new_b - ratio) <= 1e-5 * ratio
        a, b = new_a, new_b
        if done:
            break
    ratio = a / b
    weights = float(np.sum(squares * parts / (ratio + squares) ** 2))
    residual = float(np.sum(parts * (ratio / (ratio + squares)) ** 2)) + rest
    logs = width * np.log(a) + count * np.log(b) - count * np.log(2 * np.pi)
    determinant = float(np.sum(np.log(a + b * squares))) + (width - len(squares)) * np.log(a)
    return float((logs - determinant - b * residual - a * weights) / 2 / count)


def h_score(x: Float[np.ndarray, "N D"], y: Int[np.ndarray, " N"], shrinkage: float = 0.01) -> float:
    """tr(cov(x)^-1 cov(class means)): the part of the features' variance that classes explain, in whitened units.

    Source: Bao et al., "An information-theoretic approach to transferability in task transfer learning", ICIP 2019; the
        shrunk covariance as in Ibrahim, Ponomareva & Mazumder, "Newer is not always better", ECML 2022.

    Args:
        x: features.
        y: classes.
        shrinkage: share of the mean variance in the covariance, in (0, 1].

    Returns:
        At most the number of classes less one; higher is better.
    """
    _check_varies(x)
    x = np.asarray(x, np.float64) - np.mean(x, axis=0, dtype=np.float64)
    covariance = x.T @ x / len(x)
    level = np.trace(covariance) / len(covariance)
    shrunk = (1 - shrinkage) * covariance + shrinkage * level * np.eye(len(covariance))
    _, rows = np.unique(y, return_inverse=True)
    means = np.stack([x[rows == c].mean(axis=0) for c in range(rows.max() + 1)])
    counts = np.bincount(rows)
    between = (means.T * counts) @ means / len(x)
    return float(np.trace(np.linalg.solve(shrunk, between)))


def leep(shares: Float[np.ndarray, "N S"], y: Int[np.ndarray, " N"]) -> float:
    """Mean log probability of the labels under p(y | x) = sum_z p(y | z) p(z | x), z the classes of the source's head.

    Source: Nguyen, Hassner, Seeger & Archambeau, "LEEP: a new measure to evaluate transferability of learned
        representations", ICML 2020.

    Args:
        shares: p(z | x), of the pretrained head; rows sum to 1.
        y: classes.

    Returns:
        In nats, at most 0; higher is better.
    """
    shares = np.asarray(shares, np.float64)
    _, rows = np.unique(y, return_inverse=True)
    joint = np.stack([shares[rows == c].sum(axis=0) for c in range(rows.max() + 1)])  # (C, S)
    given = joint / np.maximum(joint.sum(axis=0), 1e-300)
    return float(np.mean(np.log(np.maximum(np.sum(given[rows] * shares, axis=1), 1e-300))))
