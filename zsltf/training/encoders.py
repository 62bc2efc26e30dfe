"""Networks that pretraining starts from, where the user brings none."""

import keras
import numpy as np
from jaxtyping import Float

from zsltf.embeds import adapter
from zsltf.layers.centre import centring

__all__ = ["dense_layers", "frame", "framed", "residual_encoder"]


def residual_encoder(examples: Float[np.ndarray, "N D"], hidden: int, seed: int) -> keras.Model:
    """An adapter on vectors that are first framed as those of the examples: it starts as the frame alone."""
    x = keras.Input(examples.shape[1:])
    a = adapter(examples.shape[1], hidden, seed)(framed(x, examples))
    return keras.Model(x, a, name="encoder")


def framed(x: keras.KerasTensor, examples: Float[np.ndarray, "N *D"]) -> keras.KerasTensor:
    """Less the mean of examples, coordinate by coordinate, over the root of their mean variance."""
    mean, scale = frame(examples)
    return keras.layers.Rescaling(scale, name="input_scale")(centring(mean, name="input_mean")(x))


def frame(examples: Float[np.ndarray, "N *D"]) -> tuple[Float[np.ndarray, " D"], float]:
    """The mean over all but the last axis, and one over the root of the mean variance about it."""
    axes = tuple(range(examples.ndim - 1))
    mean = examples.mean(axis=axes, dtype=np.float64)
    variance = float(examples.var(axis=axes, dtype=np.float64).mean())
    return mean.astype(np.float32), 1.0 / float(np.sqrt(max(variance, 1e-12)))


def dense_layers(sizes: tuple[int, ...], seed: int, name: str) -> list[keras.layers.Layer]:
    """Layers of so many units, all but the last with ReLU."""
    return [
        keras.layers.Dense(
            units,
            activation="relu" if i < len(sizes) - 1 else None,
            kernel_initializer=keras.initializers.GlorotUniform(seed + i),
            name=f"{name}_{i}",
        )
        for i, units in enumerate(sizes)
    ]
