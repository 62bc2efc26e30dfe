"""Two ways of doing the same, timed in turn: what else the machine does meanwhile hits both."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

_READ_AHEAD = 3  # batches: two in the buffer, one under way

HEADER = ("what", "images/s", "against", "images/s", "ratio", "wanted")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A row of the table."""

    what: str
    ours: Sequence[float]
    """Images a second, one a round."""
    against: str
    theirs: Sequence[float]
    wanted: float | None = None
    """Least median of the ratios of the rounds."""
    remark: str = ""

    def cells(self) -> tuple[str, ...]:
        """As text, in the order of the header."""
        ratios = np.divide(self.ours, self.theirs)
        median = float(np.median(ratios))
        told = f"{median:.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
        verdict = "" if self.wanted is None else f">= {self.wanted:g}: {'met' if median >= self.wanted else 'MISSED'}"
        what = f"{self.what}; {self.remark}" if self.remark else self.what
        return (what, f"{np.median(self.ours):.1f}", self.against, f"{np.median(self.theirs):.1f}", told, verdict)


def in_turn(ways: Mapping[str, Callable[[], Any]], images: int, rounds: int) -> dict[str, list[float]]:
    """Images a second of each way, in each of so many rounds; one more round before them is not counted.

    The order is turned round each time: what comes second may find a warmer machine.
    """
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways.items())
    for _ in range(rounds + 1):
        for name, run in order:
            speeds[name].append(images / seconds(run))
        order.reverse()
    return {name: found[1:] for name, found in speeds.items()}


def seconds(run: Callable[[], Any]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


class Stopwatch(keras.callbacks.Callback):
    """Images a second of the steps of a `fit`, reading the batch included, one by one and in the mean of an epoch.

    The mean leaves an epoch's first steps out: their batches may have been read on somebody else's time.

    Args:
        batch_size: images a step.
        between: runs after each epoch, on nobody's time.
    """

    def __init__(self, batch_size: int, between: Callable[[], Any] = lambda: None) -> None:
        super().__init__()
        self.batch_size, self.between = batch_size, between
        self.epochs: list[float] = []
        self.steps: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.first = len(self.steps)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps.append(self.batch_size / (time.perf_counter() - self.start))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(statistics.harmonic_mean(self.steps[self.first :][_READ_AHEAD:]))
        self.between()
