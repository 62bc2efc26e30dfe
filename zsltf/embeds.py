"""The plainest `embed` models: a linear map, none, a small change to it, the pixels themselves, a copy of another."""

import keras
import numpy as np
from jaxtyping import Float

__all__ = ["adapter", "copied", "grey_pixels", "identity", "linear"]


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


def adapter(width: int, hidden: int, seed: int) -> keras.Model:
    """A Keras model x (B, D) -> x + W relu(V x), which starts as x: W is 0.

    Source: Houlsby et al., "Parameter-efficient transfer learning for NLP", ICML 2019 (bottlenecks that start near the
        identity).

    Args:
        width: D.
        hidden: rows of V.
        seed: of V.
    """
    x = keras.Input((width,), name="x")
    narrow = keras.layers.Dense(hidden, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed))
    change = keras.layers.Dense(width, kernel_initializer="zeros")(narrow(x))
    return keras.Model(x, keras.layers.Add()([x, change]), name="embed")


def copied(model: keras.Model) -> keras.Model:
    """The same layers with weights of their own."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def grey_pixels(height: int, width: int) -> keras.Model:
    """A Keras model from square pictures in [0, 1] to the grey values of their middle, height x width, row by row."""
    side = max(height, width)
    above, left = (side - height) // 2, (side - width) // 2
    steps = (
        keras.Input((side, side, 3)),
        keras.layers.Cropping2D(((above, side - height - above), (left, side - width - left))),
        keras.layers.Reshape((height * width, 3)),
        keras.layers.GlobalAveragePooling1D(data_format="channels_first"),  # of red, green and blue
    )
    return keras.Sequential(steps, name="pixels")
