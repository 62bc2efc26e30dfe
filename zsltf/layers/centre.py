"""Subtract a stored mean."""

from typing import Any

import keras
import numpy as np

__all__ = ["Centre", "centring"]


@keras.saving.register_keras_serializable("zsltf")
class Centre(keras.layers.Layer):
    """x - mean over the last axis; the mean is a weight that training leaves alone."""

    def build(self, input_shape: Any) -> None:
        self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", trainable=False, name="mean")

    def call(self, x: Any) -> Any:
        return x - self.mean

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def centring(mean: np.ndarray, *, name: str = "centre") -> Centre:
    """A Centre layer that subtracts this mean (D,)."""
    layer = Centre(name=name)
    layer.build((None, len(mean)))
    layer.set_weights([mean])
    return layer
