"""Gaussian bumps around stored points."""

from typing import Any

import keras
import numpy as np

__all__ = ["RadialBasis", "radial_basis"]


@keras.saving.register_keras_serializable("zsltf")
class RadialBasis(keras.layers.Layer):
    """Rows (C, A) to exp(-rate |s - point|^2) (C, M), for M points that training leaves alone.

    Args:
        num_points: M.
        rate: in 1 / squared units of the rows, > 0.
        normalised: divide each row by its sum, so that it tells the points' shares.
    """

    def __init__(self, num_points: int, *, rate: float = 1.0, normalised: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_points, self.rate, self.normalised = num_points, rate, normalised

    def build(self, input_shape: Any) -> None:
        shape = (self.num_points, input_shape[-1])
        self.points = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="points")

    def call(self, s: Any) -> Any:
        ops = keras.ops
        mean = ops.mean(self.points, axis=0)  # an offset would cost the products their digits
        s, points = s - mean, self.points - mean
        norms = ops.sum(ops.square(s), axis=-1, keepdims=True) + ops.sum(ops.square(points), axis=-1)
        exponent = -self.rate * ops.maximum(norms - 2 * ops.matmul(s, ops.transpose(points)), 0)
        return ops.softmax(exponent) if self.normalised else ops.exp(exponent)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.num_points)

    def get_config(self) -> dict[str, Any]:
        options = {"num_points": self.num_points, "rate": self.rate, "normalised": self.normalised}
        return {**super().get_config(), **options}


def radial_basis(points: np.ndarray, *, rate: float, normalised: bool = False) -> RadialBasis:
    """A RadialBasis layer around these points (M, A)."""
    layer = RadialBasis(len(points), rate=rate, normalised=normalised)
    layer.build((None, points.shape[1]))
    layer.set_weights([points])
    return layer
