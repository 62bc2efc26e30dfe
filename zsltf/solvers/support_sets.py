"""Support sets of many episodes at once, differentiable: class means, and how near queries are to them."""

from typing import Any

import keras

__all__ = ["cosines", "squared_distances", "support_means"]


def support_means(support: Any, support_y: Any, ways: int) -> Any:
    """Mean of each way's examples.

    Args:
        support: examples (E, S, D).
        support_y: their ways (E, S); every way has an example.
        ways: W.

    Returns:
        (E, W, D).
    """
    belongs = keras.ops.one_hot(support_y, ways, dtype=support.dtype)
    totals = keras.ops.einsum("esw,esd->ewd", belongs, support)
    return totals / keras.ops.sum(belongs, axis=1)[:, :, None]


def squared_distances(query: Any, centres: Any) -> Any:
    """|q - c|^2 (E, Q, W) of queries (E, Q, D) and centres (E, W, D), whose common offset is taken off first."""
    offset = keras.ops.mean(centres, axis=1, keepdims=True)
    query, centres = query - offset, centres - offset
    products = keras.ops.einsum("eqd,ewd->eqw", query, centres)
    lengths = keras.ops.sum(query**2, axis=2)[:, :, None] + keras.ops.sum(centres**2, axis=2)[:, None, :]
    return lengths - 2 * products


def cosines(query: Any, centres: Any) -> Any:
    """Cosines (E, Q, W) of queries (E, Q, D) and centres (E, W, D)."""
    query, centres = (keras.ops.normalize(vectors, axis=-1) for vectors in (query, centres))
    return keras.ops.einsum("eqd,ewd->eqw", query, centres)
