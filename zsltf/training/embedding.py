"""Many examples through a network, as in use."""

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

__all__ = ["embedded"]

_EXAMPLES = 256  # at once


def embedded(network: keras.Model, x: Float[np.ndarray, "N *D"]) -> Float[np.ndarray, "N K"]:
    """Embeddings by one compiled function, a piece at a time; x may be memory-mapped."""
    signature = [tf.TensorSpec((None, *x.shape[1:]), tf.float32)]
    embed = tf.function(lambda piece: network(piece, training=False), signature, autograph=False)
    compiled = embed.get_concrete_function()
    pieces = [tf.constant(x[i : i + _EXAMPLES], tf.float32) for i in range(0, len(x), _EXAMPLES)]
    return np.concatenate([compiled(piece).numpy() for piece in pieces])
