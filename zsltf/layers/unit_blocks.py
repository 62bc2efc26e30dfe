"""Divide each block of columns by its norm."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import keras

from zsltf.checks import fail

__all__ = ["UnitBlocks"]


@keras.saving.register_keras_serializable("zsltf")
class UnitBlocks(keras.layers.Layer):
    """Rows made of blocks, each block divided by its Euclidean norm and the row by the root of the number of blocks.

    So attributes and a text vector count alike, whatever their units; a row of one block gets norm 1.

    Args:
        widths: columns in each block.
        scale: the norm of a row without empty blocks.

    Raises:
        ValueError: when built, if the widths don't add up to the number of columns.
    """

    def __init__(self, widths: Sequence[int], *, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widths, self.scale = tuple(widths), scale

    def build(self, input_shape: Any) -> None:
        if sum(self.widths) != input_shape[-1]:
            fail("UnitBlocks.widths", f"{input_shape[-1]} columns in all", str(self.widths), "Give each block's width.")

    def call(self, x: Any) -> Any:
        ends = accumulate(self.widths)
        blocks = [keras.ops.normalize(x[..., end - width : end]) for width, end in zip(self.widths, ends, strict=True)]
        return self.scale / len(blocks) ** 0.5 * keras.ops.concatenate(blocks, axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "widths": self.widths, "scale": self.scale}
