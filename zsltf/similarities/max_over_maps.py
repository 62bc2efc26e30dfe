"""Best of several maps: s(a, b) = scale max_k a_k.b"""

from typing import Any

import keras

from zsltf.similarities.dot import Dot

__all__ = ["MaxOverMaps"]


@keras.saving.register_keras_serializable("zsltf")
class MaxOverMaps(Dot):
    """Embeddings (B, maps, K) and class vectors (C, K) to scores (B, C)."""

    def call(self, a: Any, b: Any) -> Any:
        return keras.ops.max(super().call(a, b), axis=1)

    def compute_output_shape(self, a_shape: Any, b_shape: Any) -> Any:
        return (a_shape[0], b_shape[0])
