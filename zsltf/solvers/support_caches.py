"""Caches of the supports of many episodes at once: keys that images are looked up by, differentiable."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zsltf.checks import check_positive, fail

__all__ = ["KeySteps", "likeness", "trained_keys"]

_MOMENTS = (0.9, 0.999)
_EPSILON = 1e-4  # as in the paper's code
_DECAY = 0.01


@dataclass(frozen=True, kw_only=True)
class KeySteps:
    """AdamW on the keys, over all of the support at each step; the rate falls to 0 like a cosine."""

    count: int = 0
    """>= 0; the paper's Tip-Adapter-F takes 20 epochs."""
    learning_rate: float = 1e-3
    """> 0."""

    def __post_init__(self) -> None:
        check_positive("KeySteps", learning_rate=self.learning_rate)
        if self.count < 0:
            fail("KeySteps.count", "0 or more", str(self.count), "Start from the default.")


def likeness(v: Any, keys: Any, beta: float) -> Any:
    """exp(-beta (1 - v.k)) (E, N, S) of unit vectors (E, N, D) and keys (E, S, D)."""
    return keras.ops.exp(beta * (keras.ops.einsum("end,esd->ens", v, keys) - 1))


def trained_keys(units: Any, values: Any, targets: Any, weights: Any, first: Any, beta: float, steps: KeySteps) -> Any:
    """Keys (E, S, D) that lower the support's cross-entropy, from the support itself.

    Source: Zhang et al., "Tip-Adapter: training-free adaption of CLIP for few-shot classification", ECCV 2022 (Tip-
    Adapter-F); the optimiser is of Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Args:
        units: the support's vectors (E, S, D), of length 1.
        values: what each key adds to the classes' scores (E, S, W).
        targets: one-hot (E, S, W).
        weights: of the examples (E, S), which add up to 1.
        first: the support's scores (E, S, W) without the cache.
        beta: of `likeness`.
        steps: how many, and how long.
    """
    ops = keras.ops

    def gradient(keys: Any) -> Any:
        near = likeness(units, keys, beta)
        errors = weights[:, :, None] * (ops.softmax(first + ops.matmul(near, values)) - targets)
        pulls = beta * near * ops.einsum("eiw,esw->eis", errors, values)
        return ops.einsum("eis,eid->esd", pulls, units)

    def step(number: Any, state: Any) -> Any:
        keys, mean, square = state
        slope, passed = gradient(keys), ops.cast(number, "float32")
        moments = zip(_MOMENTS, (mean, square), (slope, slope**2), strict=True)
        mean, square = (share * old + (1 - share) * new for share, old, new in moments)
        rate = steps.learning_rate * 0.5 * (1 + ops.cos(np.pi * passed / steps.count))
        unbiased = [part / (1 - share ** (passed + 1)) for share, part in zip(_MOMENTS, (mean, square), strict=True)]
        moved = keys * (1 - rate * _DECAY) - rate * unbiased[0] / (ops.sqrt(unbiased[1]) + _EPSILON)
        return moved, mean, square

    still = ops.zeros_like(units)
    return ops.fori_loop(0, steps.count, step, (units, still, still))[0]
