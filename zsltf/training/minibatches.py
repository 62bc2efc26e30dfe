"""All batches of an epoch in one call of a graph."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Int

__all__ = ["for_each_batch", "padded_batches"]


def padded_batches(order: Int[np.ndarray, " N"], size: int) -> Int[np.ndarray, "steps size"]:
    """The rows in this order, `size` a step; the last step is filled up with -1."""
    padded = np.full(-(-len(order) // size) * size, -1, np.int32)
    padded[: len(order)] = order
    return padded.reshape(-1, size)


def for_each_batch(batches: Any, step: Callable[[Any], None]) -> None:
    """Take the step on the rows of each batch, inside a graph."""

    def body(i: Any) -> Any:
        rows = batches[i]
        step(tf.boolean_mask(rows, rows >= 0))
        return i + 1

    tf.while_loop(lambda i: i < tf.shape(batches)[0], body, [tf.constant(0)])
