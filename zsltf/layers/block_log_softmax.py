"""Log-probabilities within each block of columns."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import keras

from zsltf.checks import fail

__all__ = ["BlockLogSoftmax"]


@keras.saving.register_keras_serializable("zsltf")
class BlockLogSoftmax(keras.layers.Layer):
    """Scores (B, K) made of blocks to the logarithm of each block's softmax.

    Args:
        widths: columns in each block.

    Raises:
        ValueError: when built, if the widths don't add up to the number of columns.
    """

    def __init__(self, widths: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widths = tuple(widths)

    def build(self, input_shape: Any) -> None:
        if sum(self.widths) != input_shape[-1]:
            expected = f"{input_shape[-1]} columns in all"
            fail("BlockLogSoftmax.widths", expected, str(self.widths), "Give each block's width.")

    def call(self, scores: Any) -> Any:
        blocks = [
            scores[..., end - width : end] for width, end in zip(self.widths, accumulate(self.widths), strict=True)
        ]
        return keras.ops.concatenate([keras.ops.log_softmax(block, axis=-1) for block in blocks], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "widths": self.widths}
