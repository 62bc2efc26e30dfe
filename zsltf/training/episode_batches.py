"""Episodes of one shape as tensors, and many steps on them in one call of a graph."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from jaxtyping import Float, Int

from zsltf.data.episodes import Episode

__all__ = ["Batch", "Logits", "Update", "compiled_scores", "compiled_steps", "episode_rows", "query_loss"]

Logits = Callable[[Any, Any, Any, int], Any]
"""support (E, S, ...), support_y (E, S), query (E, Q, ...) and ways W to scores (E, Q, W)."""


class Batch(NamedTuple):
    """E episodes of one shape."""

    support: Any
    """(E, S, ...)."""
    support_y: Any
    """(E, S)."""
    query: Any
    """(E, Q, ...)."""
    query_y: Any
    """(E, Q)."""


Update = Callable[[Any, Batch], Any]
"""The number of a step, from 0 on, and its episodes to its loss; it changes variables, in a graph."""


def episode_rows(episodes: Sequence[Episode]) -> tuple[Int[np.ndarray, "E N"], ...]:
    """What the fields of a Batch are made of: rows and ways of the support, rows and ways of the queries."""
    fields = ("support", "support_y", "query", "query_y")
    return tuple(np.stack([getattr(one, field) for one in episodes]).astype(np.int32) for field in fields)


def query_loss(logits: Logits, batch: Batch, ways: int) -> Any:
    """Mean cross-entropy of the queries."""
    scores = logits(batch.support, batch.support_y, batch.query, ways)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(batch.query_y, scores))


def compiled_steps(update: Update, episodes: int, like: Episode, x: Float[np.ndarray, "N *D"]) -> Callable[..., Any]:
    """A graph of x, four arrays (steps, E, rows) as `episode_rows` gives them, and the first step's number: the losses.

    Args:
        update: the step.
        episodes: E, a step.
        like: an episode of the shape that all have.
        x: what rows are rows of.
    """
    widths = [len(like.support)] * 2 + [len(like.query)] * 2
    rows = [tf.TensorSpec((None, episodes, width), tf.int32) for width in widths]
    signature = [tf.TensorSpec((None, *x.shape[1:]), x.dtype), *rows, tf.TensorSpec((), tf.int32)]

    def steps(x: Any, support: Any, support_y: Any, query: Any, query_y: Any, first: Any) -> Any:
        def body(i: Any, losses: Any) -> Any:
            examples = [tf.cast(tf.gather(x, rows[i]), tf.float32) for rows in (support, query)]
            loss = update(first + i, Batch(examples[0], support_y[i], examples[1], query_y[i]))
            return i + 1, losses.write(i, loss)

        count = tf.shape(support)[0]
        start = (0, tf.TensorArray(tf.float32, count, element_shape=()))
        return tf.while_loop(lambda i, _: i < count, body, start, parallel_iterations=1)[1].stack()

    return tf.function(steps, input_signature=signature, autograph=False).get_concrete_function()


def compiled_scores(logits: Logits, like: Episode, x: Float[np.ndarray, "N *D"]) -> Callable[..., Any]:
    """A graph of support, its ways and queries of any number of episodes of one shape: the scores.

    Args:
        logits: the scores.
        like: an episode of the shape that all have.
        x: what the examples are rows of.
    """

    def scores(support: Any, support_y: Any, query: Any) -> Any:
        return logits(support, support_y, query, like.ways)

    widths = (len(like.support), len(like.query))
    support, query = (tf.TensorSpec((None, width, *x.shape[1:]), tf.float32) for width in widths)
    signature = [support, tf.TensorSpec((None, widths[0]), tf.int32), query]
    return tf.function(scores, input_signature=signature, autograph=False).get_concrete_function()
