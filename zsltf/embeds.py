"""The plainest `embed` models of a Classifier: a linear map, and none."""

import keras
import numpy as np
from jaxtyping import Float

__all__ = ["identity", "linear"]


def linear(
    kernel: Float[np.ndarray, "D K"], bias: Float[np.ndarray, " K"] | None = None, *, name: str = "linear"
) -> keras.Model:
    """A Keras model x (B, D) -> x kernel + bias, of one layer with this name."""
    dense = keras.layers.Dense(kernel.shape[1], use_bias=bias is not None, name=name)
    model = keras.Sequential([keras.Input((kernel.shape[0],)), dense], name="embed")
    dense.set_weights([kernel] if bias is None else [kernel, bias])
    return model


def identity(width: int) -> keras.Model:
    """A Keras model x (B, D) -> x."""
    return keras.Sequential([keras.Input((width,)), keras.layers.Identity()], name="embed")
