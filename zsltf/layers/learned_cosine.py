"""Cosine with a scale that is trained."""

import math
from typing import Any

import keras

from zsltf.checks import check_positive

__all__ = ["LearnedCosine"]


@keras.saving.register_keras_serializable("zsltf")
class LearnedCosine(keras.layers.Layer):
    """Embeddings (B, K) and class vectors (C, K) to scale cos(a, b) (B, C) in float32; scale = exp(weight) <= 100.

    Source: Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021.

    Args:
        initial_scale: in (0, 100].
        initial_offset: of a number that is trained and added to all scores; None adds nothing.
    """

    def __init__(self, initial_scale: float = 1 / 0.07, *, initial_offset: float | None = None, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        check_positive("LearnedCosine", initial_scale=initial_scale)
        self.initial_scale, self.initial_offset = initial_scale, initial_offset
        start = keras.initializers.Constant(math.log(initial_scale))
        self.log_scale = self.add_weight(shape=(), initializer=start, name="log_scale")
        level = keras.initializers.Constant(initial_offset or 0.0)
        self.offset = self.add_weight(shape=(), initializer=level, trainable=initial_offset is not None, name="offset")

    def call(self, a: Any, b: Any) -> Any:
        a, b = (keras.ops.normalize(rows, axis=-1) for rows in (a, b))
        scale = keras.ops.minimum(keras.ops.exp(self.log_scale), 100.0)
        return scale * keras.ops.matmul(a, keras.ops.transpose(b)) + self.offset

    @property
    def scale(self) -> float:
        """As it stands."""
        return min(math.exp(float(keras.ops.convert_to_numpy(self.log_scale))), 100.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial_scale": self.initial_scale, "initial_offset": self.initial_offset}
