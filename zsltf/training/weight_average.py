"""Averages of weights over the steps of a training: flat minima that carry over to domains nobody trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zsltf.checks import check_positive, fail

__all__ = ["FlatAverage", "RunningMean", "Stretch", "Weights", "between"]

Weights = list[np.ndarray]


class RunningMean:
    """The mean of variables' values over steps, kept in a graph.

    Args:
        variables: Keras variables.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        self._variables = list(variables)
        self._means = [keras.Variable(keras.ops.zeros(v.shape), trainable=False) for v in self._variables]
        self._count = keras.Variable(0.0, trainable=False)

    def update(self) -> None:
        """Take the present values in; in a graph or outside."""
        self._count.assign_add(1.0)
        for mean, variable in zip(self._means, self._variables, strict=True):
            mean.assign_add((tf.convert_to_tensor(variable) - tf.convert_to_tensor(mean)) / self._count)

    def take(self) -> tuple[Weights, int]:
        """The mean and the number of steps that it is of; the next step begins another."""
        count = round(float(self._count))
        if not count:
            fail("RunningMean", "one step or more", "none", "Call update first.")
        self._count.assign(0.0)
        return [keras.ops.convert_to_numpy(mean) for mean in self._means], count


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """The steps between two validations."""

    mean: Weights
    """Of the weights after each step."""
    steps: int
    loss: float
    """On validation images, at its end."""


@dataclass(frozen=True, kw_only=True)
class FlatAverage:
    """The mean of the weights over all steps from where the validation loss stops falling to where it rises again.

    Source: Cha, Chun, Lee, Cho, Park, Lee & Park, "SWAD: domain generalization by seeking flat minima", NeurIPS 2021.
    """

    start_patience: int = 3
    """Validations, the first of them the best, after which the loss counts as no longer falling; >= 1."""
    end_patience: int = 6
    """Validations in a row above the tolerance that end it; >= 1."""
    tolerance: float = 1.3
    """Multiple of the mean loss over the first `start_patience` validations, >= 1."""

    def __post_init__(self) -> None:
        check_positive("FlatAverage", start_patience=self.start_patience, end_patience=self.end_patience)
        if not self.tolerance >= 1:
            fail("FlatAverage.tolerance", "a number >= 1", f"{self.tolerance:g}", "Start from the default.")

    def span(self, losses: Sequence[float]) -> tuple[int, int]:
        """First and last stretch that count, both included; the last one alone while the loss never stopped falling."""
        waited = self.start_patience
        starts = (i for i in range(len(losses) - waited + 1) if losses[i] == min(losses[i : i + waited]))
        first = next(starts, None)
        if first is None:
            return len(losses) - 1, len(losses) - 1
        limit = self.tolerance * float(np.mean(losses[first : first + waited]))
        for end in range(first + waited + 1, len(losses) + 1):
            if min(losses[max(0, end - self.end_patience) : end]) > limit:
                return first, end - self.end_patience - 1
        return first, len(losses) - 1

    def of(self, stretches: Sequence[Stretch]) -> Weights:
        """The mean over every step of the stretches that count.

        Raises:
            ValueError: if there is no stretch.
        """
        if not stretches:
            fail("FlatAverage", "a validation or more", "none", "Validate oftener.")
        first, last = self.span([stretch.loss for stretch in stretches])
        counted = stretches[first : last + 1]
        shares = np.array([stretch.steps for stretch in counted], np.float64)
        parts = zip(*(stretch.mean for stretch in counted), strict=True)
        return [np.average(np.stack(part), axis=0, weights=shares).astype(np.float32) for part in parts]


def between(start: Weights, end: Weights, share: float = 0.5) -> Weights:
    """Weights on the way from those before a training to those after it.

    Source: Wortsman, Ilharco, Kim et al., "Robust fine-tuning of zero-shot models", CVPR 2022 (WiSE-FT), where half the
    way does well for every data set.

    Args:
        start: before.
        end: after.
        share: of the way, from 0 to 1.
    """
    if not 0 <= share <= 1:
        fail("between.share", "a number from 0 to 1", f"{share:g}", "Start from the default.")
    return [(1 - share) * before + share * after for before, after in zip(start, end, strict=True)]
