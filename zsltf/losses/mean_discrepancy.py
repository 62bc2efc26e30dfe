"""Maximum mean discrepancy: how far two samples' distributions are apart, in a kernel's space."""

from collections.abc import Sequence
from typing import Any

from keras import ops

__all__ = ["mean_discrepancy"]


def mean_discrepancy(source: Any, target: Any, widths: Sequence[float] = (0.125, 0.25, 0.5, 1.0, 2.0)) -> Any:
    """Unbiased estimate of MMD^2 by a mean of Gaussian kernels; about 0, or below, for samples of one distribution.

    Source: Gretton, Borgwardt, Rasch, Scholkopf & Smola, "A kernel two-sample test", JMLR 2012 (the estimate); Long,
        Cao, Wang & Jordan, "Learning transferable features with deep adaptation networks", ICML 2015 (several widths).

    Args:
        source: vectors (N, D), N > 1.
        target: vectors (M, D), M > 1.
        widths: of the kernels exp(-|a - b|^2 / (2 width m)), as multiples of the mean squared distance m of all pairs.
    """
    both = ops.concatenate([source, target])
    distances = _squared_distances(both)
    total = ops.cast(ops.shape(both)[0], both.dtype)
    mean = ops.stop_gradient(ops.sum(distances) / (total * (total - 1.0)))
    kernel = sum(ops.exp(-distances / (2.0 * width * ops.maximum(mean, 1e-12))) for width in widths) / len(widths)
    count = ops.shape(source)[0]
    within = _mean_of_others(kernel[:count, :count]) + _mean_of_others(kernel[count:, count:])
    return within - 2.0 * ops.mean(kernel[:count, count:])


def _squared_distances(x: Any) -> Any:
    x = x - ops.mean(x, axis=0, keepdims=True)
    lengths = ops.sum(x**2, axis=1)
    return ops.maximum(lengths[:, None] + lengths[None, :] - 2.0 * ops.matmul(x, ops.transpose(x)), 0.0)


def _mean_of_others(kernel: Any) -> Any:
    """Over pairs of two different examples."""
    count = ops.cast(ops.shape(kernel)[0], kernel.dtype)
    return (ops.sum(kernel) - ops.sum(ops.diagonal(kernel))) / (count * (count - 1.0))
