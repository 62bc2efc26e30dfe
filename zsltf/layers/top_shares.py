"""The largest probabilities, rescaled to add up to 1."""

from typing import Any

import keras

__all__ = ["TopShares"]


@keras.saving.register_keras_serializable("zsltf")
class TopShares(keras.layers.Layer):
    """Probabilities (B, S) to those of the likeliest `top`, divided by their sum, and 0 elsewhere.

    Args:
        top: how many; ties with the last of them stay in.
    """

    def __init__(self, top: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.top = top

    def call(self, p: Any) -> Any:
        top = min(self.top, p.shape[-1])
        kept = keras.ops.where(p >= keras.ops.top_k(p, top)[0][..., -1:], p, 0.0)
        return kept / keras.ops.sum(kept, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "top": self.top}
