"""Places as partners of a dot product that ranks by distance."""

from typing import Any

import keras

__all__ = ["DistanceVectors"]


@keras.saving.register_keras_serializable("zsltf")
class DistanceVectors(keras.layers.Layer):
    """Places s (C, K) to [2 s, -|s|^2] (C, K + 1) in float32: with [a, 1], -|a - s|^2 up to a number of the image's."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, s: Any) -> Any:
        return keras.ops.concatenate([2 * s, -keras.ops.sum(s * s, axis=-1, keepdims=True)], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] + 1)
