"""Linear heads fitted to the supports of many episodes at once, differentiable.

A class vector that starts from examples and takes steps along examples is a weighted sum of the support: coefficients
(E, S, W) and the examples' products (E, S, S) say all, and cost far less than vectors would.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from zsltf.checks import check_positive, check_share, fail

__all__ = ["Steps", "balanced", "cosine_head", "products", "ridge_head", "softmax_head"]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Steps on the whole support with momentum, so that nothing is drawn and the examples' order does not matter."""

    count: int = 100
    """>= 1."""
    learning_rate: float = 1.0
    """> 0."""
    momentum: float = 0.9
    """Share of the last step in the next, in [0, 1)."""
    decay: float = 1e-3
    """Of half the squared class vectors, >= 0, against the mean loss of an example."""

    def __post_init__(self) -> None:
        check_positive("Steps", count=self.count, learning_rate=self.learning_rate)
        check_share("Steps", momentum=self.momentum)
        if not 0 <= self.decay < float("inf"):
            fail("Steps.decay", "a number >= 0", f"{self.decay:g}", "Start from the default.")

    def take(self, gradient: Callable[..., tuple[Any, ...]], start: tuple[Any, ...]) -> tuple[Any, ...]:
        """From these arrays along what `gradient` says of them."""

        def step(_: Any, state: Any) -> Any:
            values, speeds = state
            slopes = gradient(*values)
            speeds = tuple(self.momentum * speed + slope for speed, slope in zip(speeds, slopes, strict=True))
            moved = (value - self.learning_rate * speed for value, speed in zip(values, speeds, strict=True))
            return tuple(moved), speeds

        still = tuple(keras.ops.zeros_like(value) for value in start)
        return keras.ops.fori_loop(0, self.count, step, (start, still))[0]


def balanced(support_y: Any, ways: int, weights: Any = None) -> tuple[Any, Any]:
    """One-hot labels (E, S, W), and weights (E, S) that add up to 1, as much for each class.

    Args:
        support_y: ways (E, S); every way has an example.
        ways: W.
        weights: of the examples within their class (E, S), >= 0; by default equal ones.
    """
    targets = keras.ops.one_hot(support_y, ways, dtype="float32")
    shares = targets if weights is None else targets * weights[:, :, None]
    shares = shares / keras.ops.sum(shares, axis=1, keepdims=True)
    return targets, keras.ops.sum(shares, axis=2) / ways


def products(one: Any, other: Any) -> Any:
    """one.other (E, N, M) of rows (E, N, D) and (E, M, D)."""
    return keras.ops.einsum("end,emd->enm", one, other)


def softmax_head(gram: Any, targets: Any, weights: Any, steps: Steps) -> tuple[Any, Any]:
    """Coefficients (E, S, W) and bias (E, W) of a softmax on dot products, from zeros by steps on its cross-entropy.

    Args:
        gram: the support's products (E, S, S); with a mean square of 1, rates below 2 are stable.
        targets: one-hot (E, S, W).
        weights: of the examples (E, S), which add up to 1.
        steps: how many, and how long.
    """

    def gradient(coefficients: Any, bias: Any) -> tuple[Any, Any]:
        scores = keras.ops.matmul(gram, coefficients) + bias[:, None, :]
        errors = weights[:, :, None] * (keras.ops.softmax(scores) - targets)
        return errors + steps.decay * coefficients, keras.ops.sum(errors, axis=1)

    start = keras.ops.zeros_like(targets)
    coefficients, bias = steps.take(gradient, (start, start[:, 0]))
    return coefficients, bias


def cosine_head(gram: Any, targets: Any, weights: Any, scale: float, steps: Steps) -> Any:
    """Coefficients (E, S, W) of a softmax on scale times the cosine, from the classes' means by steps.

    Args:
        gram: products (E, S, S) of unit vectors.
        targets: one-hot (E, S, W).
        weights: of the examples (E, S), which add up to 1.
        scale: the inverse temperature.
        steps: how many, and how long.
    """
    ops = keras.ops

    def gradient(coefficients: Any) -> tuple[Any]:
        dots = ops.matmul(gram, coefficients)
        squares = ops.maximum(ops.sum(coefficients * dots, axis=1, keepdims=True), keras.config.epsilon())
        lengths = ops.sqrt(squares)
        errors = weights[:, :, None] * (ops.softmax(scale * dots / lengths) - targets)
        along = ops.sum(errors * dots, axis=1, keepdims=True) / squares
        return (scale / lengths * (errors - along * coefficients) + steps.decay * coefficients,)

    (coefficients,) = steps.take(gradient, (targets * weights[:, :, None] * targets.shape[-1],))
    return coefficients


def ridge_head(gram: Any, targets: Any, weights: Any, ridge: Any) -> Any:
    """Coefficients (E, S, W) of W = X'(XX' + l I)^-1 Y, which minimises |XW - Y|^2 + l |W|^2.

    Source: Bertinetto, Henriques, Torr & Vedaldi, "Meta-learning with differentiable closed-form solvers", ICLR 2019.

    Args:
        gram: the support's products XX' (E, S, S).
        targets: Y, one-hot (E, S, W).
        weights: of the squares (E, S), which add up to 1: equal ones count 1 each, and one of 0 is as if left out.
        ridge: l, > 0.
    """
    ops = keras.ops
    counted = ops.sum(ops.cast(weights > 0, weights.dtype), axis=1, keepdims=True)
    roots = ops.sqrt(weights * counted / ops.sum(weights, axis=1, keepdims=True))
    diagonal = ridge * ops.eye(ops.shape(gram)[1], dtype=gram.dtype)
    within = roots[:, :, None] * gram * roots[:, None, :] + diagonal
    return roots[:, :, None] * ops.solve(within, roots[:, :, None] * targets)
