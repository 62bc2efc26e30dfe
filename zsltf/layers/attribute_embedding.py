"""A last layer whose classes are rows of attributes."""

from collections.abc import Sequence
from typing import Any, Self, cast

import keras
import numpy as np
from jaxtyping import Float

from zsltf.checks import check_finite, check_shape, fail

__all__ = ["AttributeEmbedding"]


@keras.saving.register_keras_serializable("zsltf")
class AttributeEmbedding(keras.layers.Layer):
    """Features x (B, D) to scores (B, C) of classes with known attributes: x W s_c.

    W, from features to attributes, is trained; the attributes are weights that training leaves alone. After training,
    `with_classes` gives the same layer for other classes.

    Source: Akata, Perronnin, Harchaoui & Schmid, "Label-embedding for attribute-based classification", CVPR 2013.

    Args:
        semantics: attributes, or a text vector, of each class (C, A); or the shape of such an array.
        kernel_initializer: where W starts.
        kernel_regularizer: of W.

    Raises:
        ValueError: if there isn't a finite row of semantics a class.
    """

    def __init__(
        self,
        semantics: Float[np.ndarray, "C A"] | Sequence[Sequence[float]] | Sequence[int],
        *,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        shape = isinstance(semantics, (list, tuple)) and all(isinstance(number, int) for number in semantics)
        rows = np.zeros(cast(Sequence[int], semantics), np.float32) if shape else _rows(semantics)
        if rows.ndim != 2 or not rows.size:
            fail("AttributeEmbedding.semantics", "a row of attributes a class", f"shape {rows.shape}", "Give an array.")
        check_finite("AttributeEmbedding.semantics", rows, "Fill in the attribute.")
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.semantics = self.add_weight(shape=rows.shape, initializer="zeros", trainable=False, name="semantics")
        self.semantics.assign(rows)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.semantics.shape[1]),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )

    def attributes(self, x: Any) -> Any:
        """What each image shows of each attribute (B, A)."""
        return keras.ops.matmul(x, self.kernel)

    def call(self, x: Any) -> Any:
        embedded = self.attributes(x)
        return keras.ops.matmul(embedded, keras.ops.transpose(keras.ops.cast(self.semantics, embedded.dtype)))

    def with_classes(self, semantics: Float[np.ndarray, "M A"] | Sequence[Sequence[float]]) -> Self:
        """A layer with this one's W, as it is now, for these classes.

        Raises:
            ValueError: if they have another number of attributes, or there is no W yet.
        """
        if not self.built:
            fail("AttributeEmbedding", "a layer that has W", "one that is not built", "Call it on features first.")
        rows = _rows(semantics)
        check_shape("semantics", rows, (None, self.semantics.shape[1]), "Use the training table's columns.")
        other = type(self)(rows, kernel_regularizer=self.kernel_regularizer, dtype=self.dtype_policy)
        other.build((None, self.kernel.shape[0]))
        other.kernel.assign(self.kernel)
        return other

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.semantics.shape[0])

    def get_config(self) -> dict[str, Any]:
        options = {
            "semantics": list(self.semantics.shape),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
        return {**super().get_config(), **options}


def _rows(semantics: Any) -> np.ndarray:
    """An array of an array, a tensor or lists."""
    try:
        return np.asarray(semantics, np.float32)
    except ValueError:
        fail("semantics", "as many numbers for each class", "rows that differ", "Fill in the attributes.")
