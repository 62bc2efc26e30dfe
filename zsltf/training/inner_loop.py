"""Gradient steps that can be differentiated themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from zsltf.checks import check_positive, fail

__all__ = ["InnerLoop", "descended"]


@dataclass(frozen=True, kw_only=True)
class InnerLoop:
    """How weights are adapted to a support.

    Raises:
        ValueError: if there is no step, or its size is negative.
    """

    steps: int
    """>= 1."""
    step_size: float
    """Of the gradient, >= 0."""
    first_order: bool = False
    """Whether the gradient is a constant where the adapted weights are differentiated by the weights before."""

    def __post_init__(self) -> None:
        check_positive("InnerLoop", steps=self.steps)
        if not 0 <= self.step_size < float("inf"):
            fail("InnerLoop.step_size", "a number >= 0", f"{self.step_size:g}", "Start from the default.")


def descended(
    loss: Callable[[Any, Sequence[Any]], Any],
    weights: Sequence[Any],
    inner: InnerLoop,
    factors: Sequence[float] | None = None,
) -> list[Any]:
    """The weights after gradient steps on the loss, as a differentiable function of those before.

    Source: Finn, Abbeel & Levine, "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017.

    Args:
        loss: number of the step, from 0 on, and weights to a scalar; of a sum over episodes, each with weights of its
            own, every one takes its own steps.
        weights: tensors.
        inner: number and size of the steps.
        factors: of the step's size, one a weight; by default 1.
    """
    sizes = [inner.step_size * factor for factor in factors or (1.0,) * len(weights)]

    def body(step: Any, *now: Any) -> tuple[Any, ...]:
        with tf.GradientTape() as tape:
            tape.watch(now)
            value = loss(step, now)
        slopes = tape.gradient(value, now, unconnected_gradients="zero")
        if inner.first_order:
            slopes = [tf.stop_gradient(slope) for slope in slopes]
        after = [old - size * slope for old, size, slope in zip(now, sizes, slopes, strict=True)]
        return step + 1, *(tf.ensure_shape(new, old.shape) for new, old in zip(after, now, strict=True))

    start = (tf.constant(0), *weights)
    found = tf.while_loop(lambda *_: True, body, start, maximum_iterations=inner.steps)
    return list(found[1:])
