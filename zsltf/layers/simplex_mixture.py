"""Rows as mixtures of stored rows."""

from typing import Any

import keras
import numpy as np

__all__ = ["SimplexMixture", "simplex_mixture"]


@keras.saving.register_keras_serializable("zsltf")
class SimplexMixture(keras.layers.Layer):
    """Rows s (C, A) to the shares p >= 0 (C, M), sum 1, that minimise |p points - s|^2 + ridge |p|^2.

    By accelerated projected gradients (Beck & Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear
    inverse problems", SIAM J. Imaging Sciences 2009). The points are a weight that training leaves alone.

    Args:
        num_points: M.
        ridge: > 0, in squared units of the rows: larger spreads the shares.
        steps: of the iteration.
    """

    def __init__(self, num_points: int, *, ridge: float = 0.1, steps: int = 200, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_points, self.ridge, self.steps = num_points, ridge, steps

    def build(self, input_shape: Any) -> None:
        shape = (self.num_points, input_shape[-1])
        self.points = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="points")

    def call(self, s: Any) -> Any:
        ops = keras.ops
        gram = ops.matmul(self.points, ops.transpose(self.points)) + self.ridge * ops.eye(
            self.num_points, dtype=s.dtype
        )
        target = ops.matmul(s, ops.transpose(self.points))
        rate = 1 / ops.max(ops.sum(ops.abs(gram), axis=1))  # no eigenvalue is above the largest row sum
        even = ops.ones_like(target) / self.num_points

        def step(_: Any, state: Any) -> Any:
            shares, point, momentum = state
            following = _onto_simplex(point - rate * (ops.matmul(point, gram) - target))
            after = (1 + ops.sqrt(1 + 4 * momentum**2)) / 2
            return following, following + (momentum - 1) / after * (following - shares), after

        return ops.fori_loop(0, self.steps, step, (even, even, ops.ones((), target.dtype)))[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.num_points)

    def get_config(self) -> dict[str, Any]:
        options = {"num_points": self.num_points, "ridge": self.ridge, "steps": self.steps}
        return {**super().get_config(), **options}


def simplex_mixture(points: np.ndarray, *, ridge: float) -> SimplexMixture:
    """A SimplexMixture layer of these points (M, A)."""
    layer = SimplexMixture(len(points), ridge=ridge)
    layer.build((None, points.shape[1]))
    layer.set_weights([points])
    return layer


def _onto_simplex(rows: Any) -> Any:
    """Each row's nearest point with entries >= 0 and sum 1 (Duchi et al., ICML 2008)."""
    ops = keras.ops
    falling = -ops.sort(-rows, axis=-1)
    excess = ops.cumsum(falling, axis=-1) - 1
    count = ops.arange(1, rows.shape[-1] + 1, dtype=rows.dtype)
    level = ops.max(excess / count, axis=-1, keepdims=True)
    return ops.maximum(rows - level, 0)
