"""NT-Xent: each view of an example finds the other one among all views of the batch."""

from typing import Any

from keras import ops

__all__ = ["nt_xent"]


def nt_xent(one: Any, other: Any, temperature: float) -> Any:
    """The mean over all 2N views of the cross-entropy, in nats; log(2N - 1) where all are equal.

    Source: Chen, Kornblith, Norouzi & Hinton, "A simple framework for contrastive learning of visual representations",
        ICML 2020.

    Args:
        one: projections (N, K) of the first views.
        other: of the second ones, in the same order.
        temperature: > 0, by which cosines are divided.
    """
    views = ops.normalize(ops.concatenate([one, other]), axis=-1)
    count = ops.shape(one)[0]
    itself = ops.eye(2 * count, dtype=views.dtype)
    scores = ops.matmul(views, ops.transpose(views)) / temperature - 1e9 * itself
    wanted = ops.roll(itself, count, axis=1)
    return -ops.mean(ops.sum(wanted * ops.log_softmax(scores, axis=-1), axis=-1))
