"""VICReg's three terms: views agree, every coordinate varies, and no two say the same."""

from typing import Any

from keras import ops

from zsltf.losses.covariance_distance import covariance

__all__ = ["redundancy", "shortfall", "vicreg"]


def vicreg(one: Any, other: Any, weights: tuple[float, float, float]) -> Any:
    """Weighted sum of the mean squared difference of both views, and of both views' shortfall and redundancy.

    Source: Bardes, Ponce & LeCun, "VICReg: variance-invariance-covariance regularization for self-supervised learning",
        ICLR 2022; the terms are scaled as in the authors' program: a mean over coordinates for the difference, and the
        mean of both views' shortfall.

    Args:
        one: expanded embeddings (N, K) of the first views, N > 1.
        other: of the second ones, in the same order.
        weights: of invariance, variance and covariance.
    """
    invariance, variance, decorrelation = weights
    apart = ops.mean((one - other) ** 2)
    return (
        invariance * apart
        + variance * (shortfall(one) + shortfall(other)) / 2
        + decorrelation * (redundancy(one) + redundancy(other))
    )


def shortfall(x: Any) -> Any:
    """Mean over coordinates of what the standard deviation of vectors (N, K) lacks to 1."""
    deviation = ops.sqrt(ops.diagonal(covariance(x)) + 1e-4)
    return ops.mean(ops.relu(1.0 - deviation))


def redundancy(x: Any) -> Any:
    """Sum of the squared covariances of different coordinates of vectors (N, K), over K."""
    squares = covariance(x) ** 2
    return (ops.sum(squares) - ops.sum(ops.diagonal(squares))) / x.shape[-1]
