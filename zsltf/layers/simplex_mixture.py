"""Rows as mixtures of stored rows."""

from typing import Any

import keras
import numpy as np

__all__ = ["SimplexMixture", "mixture_shares", "simplex_mixture"]


@keras.saving.register_keras_serializable("zsltf")
class SimplexMixture(keras.layers.Layer):
    """Rows s (C, A) to the shares p >= 0 (C, M), sum 1, that minimise |p points - s|^2 + ridge |p|^2.

    By accelerated projected gradients (Beck & Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear
    inverse problems", SIAM J. Imaging Sciences 2009) with restarts (O'Donoghue & Candes, "Adaptive restart for
    accelerated gradient schemes", 2015). The points are a weight that training leaves alone.

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
        return mixture_shares(s, self.points, self.ridge, self.steps)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.num_points)

    def get_config(self) -> dict[str, Any]:
        options = {"num_points": self.num_points, "ridge": self.ridge, "steps": self.steps}
        return {**super().get_config(), **options}


def mixture_shares(s: Any, points: Any, ridge: Any, steps: int = 200) -> Any:
    """The layer's shares (C, M) of rows s (C, A) among points (M, A)."""
    ops = keras.ops
    mean = ops.mean(points, axis=0)  # shares add up to 1, so an offset of all says nothing; it would take most steps
    s, points = s - mean, points - mean
    gram, target = ops.matmul(points, ops.transpose(points)), ops.matmul(s, ops.transpose(points))
    rate = 1 / (ops.max(ops.sum(ops.abs(gram), axis=1)) + ridge)  # no eigenvalue is above the largest row sum
    ones = ops.ones_like(target)
    even = ones / ops.sum(ones, axis=1, keepdims=True)

    def step(_: Any, state: Any) -> Any:
        shares, point, momentum = state
        following = _onto_simplex(point - rate * (ops.matmul(point, gram) + ridge * point - target))
        change = following - shares
        uphill = ops.sum((point - following) * change, axis=1, keepdims=True) > 0  # where momentum leads: it restarts
        momentum = ops.where(uphill, 1.0, momentum)
        after = (1 + ops.sqrt(1 + 4 * momentum**2)) / 2
        return following, following + (momentum - 1) / after * change, after

    return ops.fori_loop(0, steps, step, (even, even, ones[:, :1]))[0]


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
    count = ops.cumsum(ops.ones_like(rows), axis=-1)
    level = ops.max(excess / count, axis=-1, keepdims=True)
    return ops.maximum(rows - level, 0)
