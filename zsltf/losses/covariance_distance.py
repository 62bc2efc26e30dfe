"""How far the covariances of two sets of vectors are apart."""

from typing import Any

from keras import ops

__all__ = ["covariance", "covariance_distance"]


def covariance_distance(source: Any, target: Any) -> Any:
    """|C_s - C_t|^2 / (4 D^2), in squared units of the covariance.

    Source: Sun & Saenko, "Deep CORAL: correlation alignment for deep domain adaptation", ECCV workshops 2016.

    Args:
        source: vectors (N, D), N > 1.
        target: vectors (M, D), M > 1.
    """
    difference = covariance(source) - covariance(target)
    return ops.sum(difference**2) / (4.0 * source.shape[-1] ** 2)


def covariance(x: Any) -> Any:
    """The unbiased covariance (D, D) of vectors (N, D)."""
    centred = x - ops.mean(x, axis=0, keepdims=True)
    return ops.matmul(ops.transpose(centred), centred) / (ops.cast(ops.shape(x)[0], x.dtype) - 1.0)
