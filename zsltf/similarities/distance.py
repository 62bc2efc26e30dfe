"""Squared Euclidean distance: s(a, b) = -scale |a - b|^2"""

from typing import Any

import keras

from zsltf.similarities.dot import Dot

__all__ = ["Distance"]


@keras.saving.register_keras_serializable("zsltf")
class Distance(Dot):
    """Embeddings (B, K) and class vectors (C, K) to scores (B, C) <= 0.

    Both sides should be centred (`Centre` in the embed): a common offset costs float32 its precision.
    """

    def call(self, a: Any, b: Any) -> Any:
        squares = keras.ops.sum(a * a, axis=-1, keepdims=True) + keras.ops.sum(b * b, axis=-1)
        return 2 * super().call(a, b) - self.scale * squares
