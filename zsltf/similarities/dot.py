"""Dot product: s(a, b) = scale a.b"""

from typing import Any

import keras

__all__ = ["Dot"]


@keras.saving.register_keras_serializable("zsltf")
class Dot(keras.layers.Layer):
    """Embeddings (B, K) and class vectors (C, K) to scores (B, C).

    Args:
        scale: the inverse temperature.
    """

    def __init__(self, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, a: Any, b: Any) -> Any:
        return self.scale * keras.ops.matmul(a, keras.ops.transpose(b))

    def compute_output_shape(self, a_shape: Any, b_shape: Any) -> tuple[Any, Any]:
        return a_shape[0], b_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}
