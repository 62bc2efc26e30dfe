"""Train on batches of several sets side by side: domains, or labelled beside unlabelled examples."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zsltf.checks import fail
from zsltf.training.descent import Descent
from zsltf.training.fused_adam import FusedAdam

__all__ = ["Step", "descending", "train_side_by_side"]

Step = Callable[[Sequence[Any], Any], Any]
"""Batches, one of each set and each a tuple of tensors, and the share of the training that is over: to a loss."""

_NUMBERS = 2**27  # in memory at once


def train_side_by_side(
    step: Step,
    state: Sequence[keras.Variable],
    descent: Descent,
    sets: Sequence[tuple[np.ndarray, ...]],
    *,
    after_epoch: Callable[[int], None] | None = None,
) -> None:
    """Take the step on every batch of the first set, each beside as many examples of the others.

    An epoch is a pass over the first set; what its last batch leaves over comes first in another epoch's order. All are
    shuffled by the descent's seed alone, so that methods see the same batches in the same order. Where the loss of an
    epoch is not finite, training ends with the weights of the epoch before, and warns.

    Args:
        step: trains on a batch and returns its loss.
        state: all variables that steps change, statistics included.
        descent: epochs, batch size and seed.
        sets: each is arrays of one length, such as x and y.
        after_epoch: is told the epoch, from 0 on.

    Raises:
        ValueError: if the loss of the first epoch is not finite.
    """
    run = tf.function(partial(_steps, step), autograph=False, reduce_retracing=True)
    for epoch in range(descent.epochs):
        before = [variable.numpy() for variable in state]
        total = sum(float(run(tensors, progress)) for tensors, progress in _pieces(sets, descent, epoch))
        if np.isfinite(total):
            if after_epoch is not None:
                after_epoch(epoch)
            continue
        for variable, value in zip(state, before, strict=True):
            variable.assign(value)
        fix = f"Lower learning_rate, now {descent.learning_rate:g}, or the weight of what is added to the loss."
        if epoch == 0:
            fail("training", "a finite loss", f"{total} in the first epoch", fix)
        warnings.warn(f"The loss is not finite in epoch {epoch + 1}; epoch {epoch}'s weights stay. {fix}", stacklevel=2)
        return


def descending(loss: Step, trained: Sequence[keras.Variable], descent: Descent) -> Step:
    """A step of Adam along the gradient of a loss and of the descent's penalty; it returns the loss."""
    trained = list(trained)
    kernels = [variable for variable in trained if len(variable.shape) > 1]
    optimizer = FusedAdam(learning_rate=descent.learning_rate)
    optimizer.build(trained)
    late = np.inf if descent.drop_after is None else descent.drop_after / descent.epochs

    def step(batches: Sequence[Any], progress: Any) -> Any:
        optimizer.learning_rate = descent.learning_rate * tf.where(progress >= late, 0.1, 1.0)
        with tf.GradientTape() as tape:
            value = loss(batches, progress)
            total = value + descent.penalty * tf.add_n([tf.nn.l2_loss(kernel) for kernel in kernels])
        optimizer.apply(tape.gradient(total, trained))
        return value

    return step


def _pieces(sets: Sequence[tuple[np.ndarray, ...]], descent: Descent, epoch: int) -> Iterator[tuple[Any, Any]]:
    """An epoch in pieces that fit into memory: for each set its arrays (steps, B, ...), and each step's progress."""
    longest = len(sets[0][0])
    size = min(descent.batch_size, longest)
    steps = longest // size
    rng = np.random.default_rng([descent.seed, epoch])
    orders = [_order(rng, len(arrays[0]), steps * size).reshape(steps, size) for arrays in sets]
    progress = ((epoch + np.arange(steps) / steps) / descent.epochs).astype(np.float32)
    numbers = size * sum(int(np.prod(array.shape[1:])) for arrays in sets for array in arrays)
    most = max(1, _NUMBERS // numbers)
    for start in range(0, steps, most):
        rows = [order[start : start + most] for order in orders]
        taken = [tuple(tf.constant(a[r]) for a in arrays) for arrays, r in zip(sets, rows, strict=True)]
        yield taken, tf.constant(progress[start : start + most])


def _order(rng: np.random.Generator, count: int, wanted: int) -> np.ndarray:
    return np.concatenate([rng.permutation(count) for _ in range(-(-wanted // count))])[:wanted]


def _steps(step: Step, sets: Sequence[tuple[Any, ...]], progress: Any) -> Any:
    def body(i: Any, total: Any) -> Any:
        return i + 1, total + step([tuple(array[i] for array in arrays) for arrays in sets], progress[i])

    start = [tf.constant(0), tf.constant(0.0)]
    return tf.while_loop(lambda i, _: i < tf.shape(progress)[0], body, start)[1]
