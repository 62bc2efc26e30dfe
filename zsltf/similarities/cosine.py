"""Cosine: s(a, b) = scale a.b / (|a| |b|)"""

from typing import Any

import keras

from zsltf.similarities.dot import Dot

__all__ = ["Cosine"]


@keras.saving.register_keras_serializable("zsltf")
class Cosine(Dot):
    """Embeddings (B, K) and class vectors (C, K), neither of them zero, to scores (B, C) in [-scale, scale]."""

    def call(self, a: Any, b: Any) -> Any:
        return super().call(keras.ops.normalize(a, axis=-1), keras.ops.normalize(b, axis=-1))
