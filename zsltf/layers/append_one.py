"""A coordinate for a bias that comes with the class vector."""

from typing import Any

import keras

__all__ = ["AppendOne"]


@keras.saving.register_keras_serializable("zsltf")
class AppendOne(keras.layers.Layer):
    """x (B, D) to [x, 1] (B, D + 1)."""

    def call(self, x: Any) -> Any:
        return keras.ops.concatenate([x, keras.ops.ones_like(x[..., :1])], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] + 1)
