"""Diagonal Gaussians whose log-density is a dot product."""

from typing import Any

import keras

__all__ = ["GaussianVectors", "Squares"]


@keras.saving.register_keras_serializable("zsltf")
class GaussianVectors(keras.layers.Layer):
    """Means and log-variances (C, 2 D) to class vectors (C, 2 D + 1), for which [x^2, x, 1] is the partner.

    Their dot product is log N(x; mean, variance) + D / 2 log 2 pi. Means and x should be centred: a common offset costs
    float32 its precision.
    """

    def call(self, parameters: Any) -> Any:
        ops = keras.ops
        width = parameters.shape[-1] // 2
        mean, log_variance = parameters[..., :width], parameters[..., width:]
        precision = ops.exp(-log_variance)
        constant = ops.sum(mean**2 * precision + log_variance, axis=-1, keepdims=True)
        return ops.concatenate([-0.5 * precision, mean * precision, -0.5 * constant], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] + 1)


@keras.saving.register_keras_serializable("zsltf")
class Squares(keras.layers.Layer):
    """Features x (B, D) to [x^2, x] (B, 2 D)."""

    def call(self, x: Any) -> Any:
        return keras.ops.concatenate([x**2, x], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], 2 * input_shape[-1])
