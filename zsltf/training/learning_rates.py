"""The course of the learning rate over the steps of a phase."""

import math
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float
from keras import ops
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule, PiecewiseConstantDecay

from zsltf.checks import check_choice, check_positive, fail

__all__ = ["Course", "OneCycle", "learning_rate_schedule"]

Kind = Literal["constant", "cosine", "one_cycle", "step"]


def learning_rate_schedule(kind: Kind, *, peak: float, steps: int, warmup_steps: int = 0, start: int = 0) -> "Course":
    """A phase's learning rate as a function of the optimizer's step.

    After the warm-up, constant: the peak; cosine: from the peak to 0 (Loshchilov & Hutter, "SGDR", ICLR 2017, without
    restarts); step: a tenth of the peak from halfway on, a hundredth from three quarters on. one_cycle: see OneCycle.

    Args:
        kind: its shape.
        peak: highest rate, > 0.
        steps: length of the phase in batches, > 0.
        warmup_steps: batches of linear rise before it, part of `steps`; in one_cycle the rising leg itself.
        start: the optimizer's step at which the phase begins.

    Raises:
        ValueError: if a number is out of range or the kind unknown.
    """
    check_choice("learning rate", kind, ("constant", "cosine", "one_cycle", "step"))
    check_positive("learning rate", peak=peak, steps=steps)
    if not 0 <= warmup_steps < steps:
        fail("learning rate.warmup_steps", f"0 to {steps - 1}", str(warmup_steps), "Shorten it or add epochs.")
    if kind == "one_cycle":
        return Course(OneCycle(peak=peak, steps=steps, rise=warmup_steps), start=start)
    return Course(_after_warmup(kind, float(peak), steps - warmup_steps), start=start, warmup_steps=warmup_steps)


def _after_warmup(kind: Kind, peak: float, steps: int) -> LearningRateSchedule:
    if kind == "step":
        falls = [math.ceil(share * steps) - 1 for share in (0.5, 0.75)]  # a boundary of Keras belongs to its left
        return PiecewiseConstantDecay(falls, [peak, peak / 10, peak / 100])
    return CosineDecay(peak, steps, alpha=1.0 if kind == "constant" else 0.0)  # alpha: the share that stays


@keras.saving.register_keras_serializable("zsltf")
class Course(LearningRateSchedule):
    """A schedule that begins at some step of the optimizer, maybe after a linear warm-up.

    Args:
        schedule: the rate as a function of the steps after the warm-up.
        start: the optimizer's step at which the warm-up begins.
        warmup_steps: its length; its first rate is already above 0.
    """

    def __init__(self, schedule: LearningRateSchedule, start: int = 0, warmup_steps: int = 0) -> None:
        super().__init__()
        self.schedule, self.start, self.warmup_steps = schedule, start, warmup_steps

    def __call__(self, step: Any) -> Any:
        step = ops.maximum(step - self.start, 0)
        share = ops.minimum((ops.cast(step, "float32") + 1) / (self.warmup_steps + 1), 1.0)
        return share * self.schedule(ops.maximum(step - self.warmup_steps, 0))

    def curve(self, steps: int) -> Float[np.ndarray, " steps"]:
        """The rates of the first so many steps from its start."""
        numbers = tf.data.Dataset.range(self.start, self.start + steps)
        return np.asarray(numbers.map(self).batch(steps).get_single_element())

    def get_config(self) -> dict[str, Any]:
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "start": self.start, "warmup_steps": self.warmup_steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Course":
        return cls(**{**config, "schedule": keras.saving.deserialize_keras_object(config["schedule"])})


@keras.saving.register_keras_serializable("zsltf")
class OneCycle(LearningRateSchedule):
    """Linearly up from a tenth of the peak, linearly down again, and in the last tenth of the steps to a thousandth.

    The momentum stays as it is.

    Source: Smith, "A disciplined approach to neural network hyper-parameters: part 1", arXiv 1803.09820, 2018.

    Args:
        peak: highest rate.
        steps: length of the whole.
        rise: steps of the rising leg; 0 makes both legs equally long.
    """

    def __init__(self, peak: float, steps: int, rise: int = 0) -> None:
        super().__init__()
        self.peak, self.steps, self.rise = peak, steps, rise

    def __call__(self, step: Any) -> Any:
        step, tail = ops.cast(step, "float32"), 0.9 * self.steps
        top = min(self.rise or tail / 2, tail)
        up = 0.1 + 0.9 * step / top
        down = 1 - 0.9 * (step - top) / max(tail - top, 1.0)
        last = 0.1 - 0.099 * (step - tail) / (self.steps - tail)
        share = ops.where(step < top, up, ops.where(step < tail, down, last))
        return self.peak * ops.maximum(share, 0.001)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps, "rise": self.rise}
