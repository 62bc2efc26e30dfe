"""One seed for everything that draws random numbers."""

from dataclasses import fields, replace
from typing import Any

import keras
import tensorflow as tf

from zsltf.training.descent import Descent

__all__ = ["draws", "seed_everything", "with_seed"]


def seed_everything(seed: int, *, deterministic: bool = False) -> None:
    """Seed Python, NumPy and TensorFlow, and with them the layers that are made from now on.

    Args:
        seed: from 0 to 2^32 - 1.
        deterministic: also make every operation of this process give the same result at each run, on GPUs and in
            parallel tf.data as well; slower there, and it can't be undone before the process ends.
    """
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def with_seed(method: Any, seed: int) -> Any:
    """The method with this seed for what it and its members draw; one that draws nothing as it is."""
    if hasattr(method, "members"):
        members = (replace(member, method=with_seed(member.method, seed)) for member in method.members)
        return replace(method, members=tuple(members))
    parts = {field.name: getattr(method, field.name) for field in fields(method)}
    settings = {name: part for name, part in parts.items() if name == "training" or isinstance(part, Descent)}
    if settings:
        return replace(method, **{name: replace(old, seed=seed) for name, old in settings.items()})
    return replace(method, seed=seed) if hasattr(method, "seed") else method


def draws(method: Any) -> bool:
    """Whether the method draws random numbers, so that seeds change its result."""
    return with_seed(method, 0) != with_seed(method, 1)
