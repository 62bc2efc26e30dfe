"""What an optimizer remembers, by variable path: it outlives a recompile and a change of what is trained."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zsltf.checks import check_shape, fail

__all__ = ["averaged", "optimizer_state", "restore_optimizer_state"]


def optimizer_state(optimizer: Any) -> dict[str, np.ndarray]:
    """Everything that a built optimizer remembers: slots under "AdamW/momentum/PATH", counters under their names.

    The kinds of slots are momentum, velocity, average (of the weights) and gradient_accumulator.
    """
    return {key: np.array(keras.ops.convert_to_numpy(variable)) for key, variable in _remembered(optimizer).items()}


def restore_optimizer_state(optimizer: Any, state: Mapping[str, np.ndarray], *, strict: bool = False) -> None:
    """Put a state into a built optimizer, maybe over other variables.

    What the state doesn't hold stays fresh; the average of a variable that it doesn't know starts at its present value.
    The learning rate stays the optimizer's own, unless strict.

    Args:
        optimizer: AdamW, SGD, or a LossScaleOptimizer around one of them.
        state: from optimizer_state.
        strict: for going on with an interrupted training: all is there, the learning rate included, and nothing else.

    Raises:
        ValueError: if the optimizer isn't built, a shape differs, or (strict) something is missing or left over.
    """
    remembered = _remembered(optimizer)
    odd = sorted(remembered.keys() ^ state.keys())
    if strict and odd:
        place = "the state only" if odd[0] in state else "the optimizer only"
        fail("optimizer state", "what the optimizer holds", f"'{odd[0]}' in {place}", "Resume with the same settings.")
    for key in remembered.keys() & state.keys():
        check_shape(f"optimizer state '{key}'", state[key], remembered[key].shape, "Give the state of the same model.")
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for variable in inner._trainable_variables if inner.use_ema else ():
        inner.slots[f"{type(inner).__name__}/average/{variable.path}"].assign(variable)
    for key in remembered.keys() & state.keys() - (set() if strict else {"learning_rate"}):
        remembered[key].assign(state[key])


def averaged(values: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The values of `checkpoints.values_of`, with the state's moving averages in the place of weights that have one."""
    averages = {key.partition("/average/")[2]: value for key, value in state.items() if "/average/" in key}
    return {key: averages.get(key.partition(" ")[2], value) for key, value in values.items()}


def _remembered(optimizer: Any) -> dict[str, keras.Variable]:
    if not optimizer.built:
        fail("optimizer", "a built one", "one without variables", "Call optimizer.build(model.trainable_variables).")
    scale = {}
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        scale = {"loss_scale": optimizer.dynamic_scale, "loss_scale_steps": optimizer.step_counter}
        optimizer = optimizer.inner_optimizer
    rate = optimizer.learning_rate
    settable = {"learning_rate": rate} if isinstance(rate, keras.Variable) else {}
    return {"iterations": optimizer._iterations, **settable, **scale, **optimizer.slots}
