"""AdamW and SGD with a learning rate, a weight decay and a birthday for each variable."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from zsltf.checks import check_choice, check_positive, check_share, fail

__all__ = ["SGD", "AdamW", "OptimizerOptions", "kernels"]


class _PerVariable(keras.optimizers.Optimizer):
    """What a Keras optimizer lacks for transfer learning.

    Args:
        learning_rate: a number or a schedule of steps.
        rates: variable path -> multiple of the learning rate; 1 where absent.
        decay: decoupled weight decay a step, as a multiple of the variable's own learning rate.
        decayed: paths of the variables that decay.
        born: variable path -> step (batch) at which it was thawed; 0 where absent.
        kwargs: the Keras optimizer's own.

    Raises:
        ValueError: when built, if two variables share a path or a path is of no variable that trains.
    """

    def __init__(
        self,
        learning_rate: Any,
        *,
        rates: Mapping[str, float],
        decay: float,
        decayed: Collection[str],
        born: Mapping[str, int],
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.rates, self.decay, self.decayed, self.born = dict(rates), decay, sorted(decayed), dict(born)
        self.slots: dict[str, keras.Variable] = {}

    def build(self, variables: Any) -> None:
        paths = [variable.path for variable in variables]
        twice = [path for path in paths if paths.count(path) > 1]
        if twice:
            fail("variables", "a path of its own for each", f"'{twice[0]}' twice", "Give the layers different names.")
        strange = sorted({*self.rates, *self.decayed, *self.born} - set(paths))
        if strange:
            fail("rates, decayed and born", "paths of trained variables", f"'{strange[0]}'", "Name trained ones only.")
        decayed, updates = set(self.decayed), self.gradient_accumulation_steps or 1
        self._settings = [
            (self.rates.get(path, 1.0), self.decay * (path in decayed), self.born.get(path, 0) // updates)
            for path in paths
        ]
        super().build(variables)

    def add_variable_from_reference(self, reference_variable: Any, name: Any = None, initializer: Any = "zeros") -> Any:
        slot = super().add_variable_from_reference(reference_variable, name=name, initializer=initializer)
        self.slots[f"{type(self).__name__}/{name}/{reference_variable.path}"] = slot
        return slot

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate, decay, born = self._settings[self._get_variable_index(variable)]
        learning_rate = ops.cast(learning_rate, variable.dtype) * rate
        if decay:
            self.assign_sub(variable, variable * decay * learning_rate)
        if born:
            learning_rate = learning_rate * ops.cast(self._youth(born), variable.dtype)
        super().update_step(gradient, variable, learning_rate)

    def _youth(self, born: int) -> Any:
        """What a variable's rate is multiplied by because it is younger than the optimizer."""
        return 1.0

    def finalize_variable_values(self, var_list: Any) -> None:
        """Leave the weights alone: Keras would put the moving averages in their place at the end of every fit."""

    def get_config(self) -> dict[str, Any]:
        own = {"rates": dict(self.rates), "decay": self.decay, "decayed": list(self.decayed), "born": dict(self.born)}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("zsltf")
class AdamW(_PerVariable, keras.optimizers.Adam):  # not keras.optimizers.AdamW, whose decay is the same for all
    """Adam with decoupled weight decay; a variable's bias correction counts from the step of its thawing.

    Source: Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    def _youth(self, born: int) -> Any:
        updates = self.iterations + 1
        age = ops.maximum(updates - born, 1)
        return self._correction(age) / self._correction(updates)

    def _correction(self, updates: Any) -> Any:
        updates = ops.cast(updates, "float32")
        return ops.sqrt(1 - ops.power(self.beta_2, updates)) / (1 - ops.power(self.beta_1, updates))


@keras.saving.register_keras_serializable("zsltf")
class SGD(_PerVariable, keras.optimizers.SGD):
    """Gradient descent with momentum and decoupled weight decay."""


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions:
    """Which optimizer, and how it steps."""

    optimizer: Literal["adamw", "sgd"] = "adamw"
    weight_decay: float = 0.01
    """Share of a kernel that is taken off at each step, as a multiple of the learning rate, >= 0."""
    momentum: float = 0.9
    """Of the gradient's moving mean (Adam's beta 1), in [0, 1)."""
    nesterov: bool = False
    """Look ahead along the momentum; SGD only."""
    beta_2: float = 0.999
    """Momentum of the squared gradient's moving mean, in [0, 1); AdamW only."""
    epsilon: float = 1e-7
    """Added to the root of that mean, > 0; AdamW only."""
    clip_norm: float = 0.0
    """Largest Euclidean norm of all gradients together, >= 0; 0 is no limit."""
    accumulate: int = 1
    """Batches whose mean gradient makes one update, >= 1."""
    ema: float = 0.0
    """Momentum a batch of the weights' moving average, such as 0.999, in [0, 1); 0 is no average."""

    def __post_init__(self) -> None:
        check_choice("OptimizerOptions.optimizer", self.optimizer, ("adamw", "sgd"))
        check_share("OptimizerOptions", momentum=self.momentum, beta_2=self.beta_2, ema=self.ema)
        check_positive("OptimizerOptions", epsilon=self.epsilon)
        for name, value in (("weight_decay", self.weight_decay), ("clip_norm", self.clip_norm)):
            if not 0 <= value < np.inf:
                fail(f"OptimizerOptions.{name}", "a number >= 0", f"{value:g}", "0 turns it off.")
        if self.accumulate < 1:
            fail("OptimizerOptions.accumulate", "a whole number >= 1", str(self.accumulate), "1 updates every batch.")
        if self.nesterov and self.optimizer != "sgd":
            fail("OptimizerOptions.nesterov", "False with adamw", "True", "Take optimizer sgd, or leave it out.")

    def build(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        *,
        rates: Mapping[str, float],
        decayed: Collection[str],
        born: Mapping[str, int],
    ) -> AdamW | SGD:
        """A fresh optimizer; for the arguments see AdamW."""
        settings: dict[str, Any] = {
            "rates": rates,
            "decay": self.weight_decay,
            "decayed": decayed,
            "born": born,
            "global_clipnorm": self.clip_norm or None,
            "gradient_accumulation_steps": self.accumulate if self.accumulate > 1 else None,
            "use_ema": self.ema > 0,
            "ema_momentum": self.ema,
        }
        if self.optimizer == "sgd":
            return SGD(learning_rate, momentum=float(self.momentum), nesterov=self.nesterov, **settings)
        return AdamW(learning_rate, beta_1=self.momentum, beta_2=self.beta_2, epsilon=self.epsilon, **settings)


def kernels(variables: Iterable[keras.Variable]) -> tuple[str, ...]:
    """Paths of the variables that decay: kernels of every kind, no bias, no normalisation, no embedding."""
    return tuple(variable.path for variable in variables if variable.name.endswith("kernel"))
