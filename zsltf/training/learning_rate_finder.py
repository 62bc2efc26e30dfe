"""A learning rate to start from, by trying them all on a few batches."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.checks import check_positive, fail

__all__ = ["LearningRateRange", "find_learning_rate"]

_MEMORY = 0.9  # of the losses' moving mean
_DIVERGED = 4  # times the best loss


@dataclass(frozen=True, kw_only=True, eq=False)
class LearningRateRange:
    """What a sweep saw, up to the rate at which training diverged."""

    rates: Float[np.ndarray, " T"]
    """Learning rates tried, rising."""
    losses: Float[np.ndarray, " T"]
    """Smoothed loss of the batch before the step at that rate, as the model logs it."""

    @property
    def suggestion(self) -> float | None:
        """The rate at which the loss falls fastest, before its lowest point; None if it never falls."""
        lowest = int(self.losses.argmin())
        slope = np.gradient(self.losses, np.log(self.rates))[: lowest + 1] if lowest else np.zeros(1)
        return None if slope.min() >= 0 else float(self.rates[slope.argmin()])


def find_learning_rate(
    model: keras.Model,
    batches: Iterable[Any],
    *,
    lowest: float = 1e-7,
    highest: float = 10.0,
    steps: int = 100,
) -> LearningRateRange:
    """Train with a rate that rises exponentially at each batch, then put everything back.

    The range test is Smith's ("Cyclical learning rates for training neural networks", WACV 2017), who reads off where
    the accuracy starts and stops rising; the steepest point of the loss is one number in between. Weights, BatchNorm's
    statistics and the counters of random numbers end bit-equal; the model's own optimizer is not used.

    Args:
        model: compiled; multiples of the rate, decay and loss scaling are those of its optimizer.
        batches: (x, y) or (x, y, weights); begun again when it ends.
        lowest: first rate, > 0.
        highest: last rate, > lowest.
        steps: batches in all, > 1; fewer if the loss turns non-finite or exceeds 4 times its best.

    Raises:
        ValueError: if a number is out of range, there is no batch, or the first loss is not finite.
    """
    check_positive("find_learning_rate", lowest=lowest)
    if not (lowest < highest < np.inf and steps > 1):
        received = f"{lowest:g} to {highest:g} in {steps}"
        fail("find_learning_rate", "a rising range in 2 steps or more", received, "Start from the defaults.")
    rates, losses = np.geomspace(lowest, highest, steps), []
    with _borrowed(model, lowest):
        for loss in _smoothed(_losses(model, batches, rates)):
            losses.append(loss)
            if loss > min(losses) + (_DIVERGED - 1) * abs(min(losses)):
                break
    if not losses:
        fail("find_learning_rate", "a finite loss", "none at the first batch", "Check the images and labels.")
    return LearningRateRange(rates=rates[: len(losses)], losses=np.array(losses))


def _losses(model: keras.Model, batches: Iterable[Any], rates: np.ndarray) -> Iterator[float]:
    """Each batch's loss before the step at its rate, until one is not finite."""
    for rate, batch in zip(rates, _endless(batches), strict=False):
        model.optimizer.learning_rate = rate
        try:
            loss = model.train_on_batch(*keras.utils.unpack_x_y_sample_weight(batch), return_dict=True)["loss"]
        except tf.errors.InvalidArgumentError as error:  # of a model that checks its own loss
            if not re.search("Tensor had .*(NaN|Inf)", str(error)):
                raise
            return
        if not np.isfinite(loss):
            return
        yield float(loss)


def _smoothed(losses: Iterator[float]) -> Iterator[float]:
    mean = 0.0
    for count, loss in enumerate(losses, 1):
        mean = _MEMORY * mean + (1 - _MEMORY) * loss
        yield mean / (1 - _MEMORY**count)


def _endless(batches: Iterable[Any]) -> Iterator[Any]:
    while True:
        count = 0
        for count, batch in enumerate(batches, 1):  # noqa: B007
            yield batch
        if not count:
            fail("find_learning_rate.batches", "one batch or more, again and again", "none", "Give a tf.data.Dataset.")


@contextmanager
def _borrowed(model: keras.Model, rate: float) -> Iterator[None]:
    """Lend the model a fresh optimizer; take it and every change away again."""
    own = model.optimizer
    before = [(variable, np.array(keras.ops.convert_to_numpy(variable))) for variable in model.variables]
    with model.distribute_strategy.scope():
        _lend(model, _fresh(own, rate))
        try:
            yield
        finally:
            _lend(model, own)
            for variable, value in before:
                variable.assign(value)
            model.reset_metrics()


def _lend(model: keras.Model, optimizer: Any) -> None:
    model.optimizer, model.train_function = optimizer, None  # the function was traced with the other optimizer


def _fresh(optimizer: Any, rate: float) -> Any:
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return keras.optimizers.LossScaleOptimizer(_fresh(optimizer.inner_optimizer, rate))
    config = {**optimizer.get_config(), "learning_rate": float(rate)}
    if "born" in config:
        config["born"] = {}  # every variable is as old as this optimizer
    return type(optimizer).from_config(config)
