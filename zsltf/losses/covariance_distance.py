"""How far the covariances of two sets of vectors are apart."""

from typing import Any

from keras import ops

__all__ = ["covariance", "covariance_distance", "covariance_gap"]


def covariance_distance(source: Any, target: Any) -> Any:
    """|C_s - C_t|^2 / (4 D^2), in squared units of the covariance.

    Source: Sun & Saenko, "Deep CORAL: correlation alignment for deep domain adaptation", ECCV workshops 2016.

    Args:
        source: vectors (N, D), N > 1.
        target: vectors (M, D), M > 1.
    """
    return covariance_gap(source, target) / (4.0 * source.shape[-1] ** 2)


def covariance_gap(one: Any, other: Any) -> Any:
    """|C_1 - C_2|^2 of vectors (N, D) and (M, D); of fewer vectors than numbers without making a matrix (D, D)."""
    counts = (one.shape[0], other.shape[0])
    if None in counts or sum(counts) >= one.shape[-1]:
        return ops.sum((covariance(one) - covariance(other)) ** 2)
    centred = (x - ops.mean(x, axis=0, keepdims=True) for x in (one, other))
    first, last = (x / (count - 1.0) ** 0.5 for x, count in zip(centred, counts, strict=True))

    def inner(a: Any, b: Any) -> Any:
        """<A'A, B'B> = |A B'|^2."""
        return ops.sum(ops.matmul(a, ops.transpose(b)) ** 2)

    return inner(first, first) - 2.0 * inner(first, last) + inner(last, last)


def covariance(x: Any) -> Any:
    """The unbiased covariance (D, D) of vectors (N, D)."""
    centred = x - ops.mean(x, axis=0, keepdims=True)
    return ops.matmul(ops.transpose(centred), centred) / (ops.cast(ops.shape(x)[0], x.dtype) - 1.0)
