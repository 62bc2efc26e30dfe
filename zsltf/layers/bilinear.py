"""Bilinear compatibility of images and classes."""

from typing import Any

import keras

__all__ = ["Bilinear"]


@keras.saving.register_keras_serializable("zsltf")
class Bilinear(keras.layers.Layer):
    """Features x (B, D) and class semantics s (C, A) to scores x W s (B, C); W is trained.

    Source: Akata, Perronnin, Harchaoui & Schmid, "Label-embedding for attribute-based classification", CVPR 2013.

    Args:
        kernel_initializer: where W starts.
        kernel_regularizer: of W.
    """

    def __init__(self, *, kernel_initializer: Any = "glorot_uniform", kernel_regularizer: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, features_shape: Any, semantics_shape: Any) -> None:
        self.kernel = self.add_weight(
            shape=(features_shape[-1], semantics_shape[-1]),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )

    def call(self, features: Any, semantics: Any) -> Any:
        embedded = keras.ops.matmul(features, self.kernel)
        return keras.ops.matmul(embedded, keras.ops.transpose(keras.ops.cast(semantics, embedded.dtype)))

    def compute_output_shape(self, features_shape: Any, semantics_shape: Any) -> Any:
        return (features_shape[0], semantics_shape[0])

    def get_config(self) -> dict[str, Any]:
        options = {
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
        return {**super().get_config(), **options}
