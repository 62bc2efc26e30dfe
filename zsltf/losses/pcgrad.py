"""Several tasks' gradients without their conflicts."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zsltf.checks import fail

__all__ = ["project_conflicting", "project_in_order"]


def project_conflicting(gradients: Sequence[Sequence[Any]], seed: int | keras.random.SeedGenerator = 0) -> list[Any]:
    """The sum of the tasks' gradients, each first projected onto the normal planes of those that it conflicts with.

    Source: Yu, Kumar, Gupta, Levine, Hausman & Finn, "Gradient surgery for multi-task learning", NeurIPS 2020.

    Args:
        gradients: for each task its gradient, one tensor a variable; None where the task doesn't see the variable.
        seed: of the order of the projections, which matters from three tasks on; a number gives the same order at each
            call, a SeedGenerator a new one.

    Returns:
        One tensor a variable, None where no task sees it.

    Raises:
        ValueError: if the tasks have different numbers of variables.
    """
    count = len(gradients)
    return project_in_order(gradients, ops.argsort(keras.random.uniform((count, count), seed=seed), axis=1))


def project_in_order(gradients: Sequence[Sequence[Any]], orders: Any) -> list[Any]:
    """As project_conflicting, where task i meets the tasks orders[i], a permutation, one after the other."""
    if len({len(gradient) for gradient in gradients}) != 1:
        received = str([len(gradient) for gradient in gradients])
        fail("gradients", "one tensor a variable from every task", received, "Give None for a variable unseen.")
    by_variable = list(zip(*gradients, strict=True))
    shares = ops.sum(_coefficients(_inner_products(by_variable), orders), axis=0)  # of each task's own gradient
    return [_combined(shares, tensors) for tensors in by_variable]


def _inner_products(by_variable: Sequence[Sequence[Any]]) -> Any:
    """The tasks' Gram matrix (K, K); all that follows are combinations of the K gradients."""
    total = ops.zeros((len(by_variable[0]),) * 2)
    for tensors in by_variable:
        seen = next((tensor for tensor in tensors if tensor is not None), None)
        if seen is not None:
            rows = [ops.zeros_like(seen) if tensor is None else tensor for tensor in tensors]
            flat = ops.cast(ops.reshape(ops.stack(rows), (len(rows), -1)), "float32")
            total = total + ops.matmul(flat, ops.transpose(flat))
    return total


def _coefficients(gram: Any, orders: Any) -> Any:
    """Row i: the projected gradient of task i as a combination of the given ones."""
    count, squares = gram.shape[0], ops.diagonal(gram)
    result, own = ops.eye(count), ops.arange(count, dtype="int32")
    for turn in range(count):
        other = ops.cast(orders[:, turn], "int32")
        product = ops.sum(result * ops.take(gram, other, axis=0), axis=1)
        conflict = ops.logical_and(product < 0, other != own)
        step = ops.where(conflict, product / ops.take(squares, other), 0.0)
        result = result - step[:, None] * ops.one_hot(other, count)
    return result


def _combined(shares: Any, tensors: Sequence[Any]) -> Any:
    parts = [ops.cast(shares[k], t.dtype) * t for k, t in enumerate(tensors) if t is not None]
    return sum(parts[1:], parts[0]) if parts else None
