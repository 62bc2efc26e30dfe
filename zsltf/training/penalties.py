"""What is added to the loss, or imposed on the weights, besides fitting the labels."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zsltf.checks import fail

__all__ = ["Penalty", "constrain", "l2_sp", "toward_start"]


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """weight * R(theta): a term of the loss that sees variables only, logged apart."""

    name: str
    """Its column in the log is penalty_NAME: letters, digits and _."""
    weight: float
    """Factor of R, >= 0, in nats per unit of R."""
    function: Callable[[Sequence[keras.Variable]], Any]
    """R: a list of trained variables to a scalar, in Keras or TensorFlow operations."""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            fail("Penalty.name", "letters, digits and _", f"'{self.name}'", "It names a column of the log.")
        if not 0 <= self.weight < np.inf:
            fail(f"Penalty '{self.name}'.weight", "a number >= 0", f"{self.weight:g}", "0 turns it off.")

    def value(self, variables: Sequence[keras.Variable]) -> Any:
        """R, float32; times the weight it is the term of the loss.

        Raises:
            ValueError: if R gives no scalar; when the training step is traced, before it runs.
        """
        value = ops.convert_to_tensor(self.function(variables))
        if value.shape != ():
            fail(f"Penalty '{self.name}'", "a scalar", f"shape {tuple(value.shape)}", "Sum over the elements.")
        return ops.cast(value, "float32")


def l2_sp(start: Mapping[str, np.ndarray], *, alpha: float = 0.1, beta: float = 0.01) -> tuple[Penalty, Penalty]:
    """Stay near the pretrained weights: alpha |w - w0|^2, and beta |w|^2 for the variables that are new.

    Source: Li, Grandvalet & Davoine, "Explicit inductive bias for transfer learning with convolutional networks", ICML
    2018, whose alpha and beta are twice these.

    Args:
        start: variable path -> pretrained value w0; a variable that is absent is new.
        alpha: weight on the pretrained variables, >= 0.
        beta: weight on the new ones, >= 0.
    """
    origin = {path: ops.convert_to_tensor(value) for path, value in start.items()}  # not a constant of every graph

    def drift(variables: Sequence[keras.Variable]) -> Any:
        return _sum_of_squares([v - ops.cast(origin[v.path], v.dtype) for v in variables if v.path in origin])

    def new(variables: Sequence[keras.Variable]) -> Any:
        return _sum_of_squares([v for v in variables if v.path not in origin])

    return Penalty(name="l2_sp", weight=alpha, function=drift), Penalty(name="l2_new", weight=beta, function=new)


def toward_start(pretrained: keras.Model, alpha: float, beta: float) -> list[Penalty]:
    """`l2_sp` around the weights that a model has now, without the terms whose weight is 0."""
    start = {weight.path: np.array(weight) for weight in pretrained.weights} if alpha or beta else {}
    return [penalty for penalty in l2_sp(start, alpha=alpha, beta=beta) if penalty.weight]


def _sum_of_squares(tensors: Sequence[Any]) -> Any:
    return sum((ops.sum(ops.square(ops.cast(tensor, "float32"))) for tensor in tensors), ops.zeros(()))


def constrain(model: keras.Model, pattern: str, constraint: keras.constraints.Constraint) -> tuple[str, ...]:
    """Project the kernels of some layers after every update, such as onto a largest norm; call it before compile.

    Args:
        model: built; nested models are searched as well.
        pattern: regular expression for a whole layer name, such as "head.*".
        constraint: how to project.

    Returns:
        The layers' names.

    Raises:
        ValueError: if no layer with a kernel has such a name.
    """
    able = [layer for layer in model._flatten_layers(include_self=False) if hasattr(layer, "kernel")]
    chosen = [layer for layer in able if re.fullmatch(pattern, layer.name)]
    if not chosen:
        known = ", ".join(layer.name for layer in able)
        fail("constrain", f"the name of one of {known}", f"'{pattern}'", "Give a regular expression.")
    for layer in chosen:
        layer.kernel.constraint = constraint
        if hasattr(layer, "kernel_constraint"):
            layer.kernel_constraint = constraint  # Keras saves this one
    return tuple(layer.name for layer in chosen)
