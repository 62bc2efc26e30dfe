"""What happens between the epochs of a phase: a row of history, a checkpoint, and whether to go on."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol

import keras
import numpy as np

from zsltf.checks import fail
from zsltf.training.batches import Stream, epoch_order
from zsltf.training.checkpoints import TrainingState
from zsltf.training.options import TrainingOptions
from zsltf.training.phases import Phase

__all__ = ["REMEDY", "Epochs", "FiniteLoss", "Job", "phase_is_over"]

REMEDY = "Lower the learning rate or set clip_norm, and check the files; the last epoch's checkpoint is whole."

_PLATEAU_FACTOR, _PLATEAU_PATIENCE = 0.1, 3  # as in Phase's docstring


class Job(Protocol):
    """The training that an epoch belongs to."""

    state: TrainingState
    options: TrainingOptions
    stream: Stream

    def after_epoch(self, model: Any, row: dict[str, Any], *, best: bool) -> None:
        """Note an epoch, and write all that it changed to disk."""


class Epochs(keras.callbacks.Callback):
    """Everything it decides is a function of the history, so a resumed training decides the same.

    Args:
        job: the training.
        phase: the present one.
        first: epochs that earlier phases were given.
    """

    def __init__(self, job: Job, phase: Phase, first: int) -> None:
        super().__init__()
        self.job, self.phase, self.first = job, phase, first
        self.epoch = self.batch = 0
        self.validating = False

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.epoch, self.validating = self.first + epoch, False
        if self.phase.schedule == "plateau":
            drops = plateau_drops([_loss(row) for row in _rows(self.job.state, self.phase)])
            self.model.optimizer.learning_rate = self.phase.learning_rate * _PLATEAU_FACTOR**drops
        self.learning_rate = float(self.model.optimizer.learning_rate)
        self.started = self.ended = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self.batch = batch

    def on_test_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self.ended, self.validating = time.perf_counter(), True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        now = time.perf_counter()
        seconds = (self.ended if self.validating else now) - self.started
        row = {
            "epoch": len(self.job.state.history),
            "phase": self.phase.name,
            "seconds": now - self.started,
            "images_per_second": len(self.job.stream.examples) / max(seconds, 1e-9),
            "learning_rate": self.learning_rate,
            **{name: float(value) for name, value in (logs or {}).items() if not name.startswith("val_penalty_")},
        }
        scores = [score(earlier, self.job.options) for earlier in self.job.state.history]
        mine = score(row, self.job.options)
        best = mine is not None and all(earlier is None or mine > earlier for earlier in scores)
        self.job.after_epoch(self.model, row, best=best)
        self.model.stop_training = phase_is_over(self.job.state, self.phase, self.job.options)

    def fail_not_finite(self) -> NoReturn:
        """Name the step and the files of its batch."""
        if self.validating:
            where, names = "validating", ()
        else:
            examples, size = self.job.stream.examples, self.job.stream.batch_size
            order = np.asarray(epoch_order(len(examples), self.job.stream.seed, self.epoch))
            rows = order[self.batch * size : (self.batch + 1) * size]
            where, names = f"step {self.batch + 1}", tuple(examples.images.names[row] for row in rows)
        files = f", of {', '.join(names)}" if names else ""
        received = f"NaN or infinity in phase '{self.phase.name}', epoch {self.epoch + 1}, {where}{files}"
        fail("loss", "a finite number", received, REMEDY)


class FiniteLoss(keras.callbacks.Callback):
    """Waits for the loss of every step and stops at the first that is not finite: XLA leaves out the graph's own check.

    Args:
        epochs: of the phase under way.
    """

    def __init__(self, epochs: Epochs) -> None:
        super().__init__()
        self.epochs = epochs

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        if not np.isfinite(float((logs or {})["loss"])):
            self.epochs.fail_not_finite()


def phase_is_over(state: TrainingState, phase: Phase, options: TrainingOptions) -> bool:
    """Whether all epochs are done, or the validation score has not risen for too long."""
    if state.epoch >= phase.epochs:
        return True
    scores = [score(row, options) for row in _rows(state, phase)]
    watched = [(-np.inf, -np.inf) if value is None else value for value in scores]
    waited = len(watched) - 1 - watched.index(max(watched)) if watched else 0
    return 0 < options.patience <= waited


def score(row: Mapping[str, Any], options: TrainingOptions) -> tuple[float, float] | None:
    """What is watched, the more the better, and the loss for ties; None without validation images."""
    if "val_loss" not in row:
        return None
    metrics = [name for name in row if name.startswith("val_") and not name.endswith("loss")]
    first = row[metrics[0]] if metrics and options.monitor == "accuracy" else -row["val_loss"]
    return first, -row["val_loss"]


def plateau_drops(losses: Sequence[float]) -> int:
    """How often the rate has been lowered: each time after 3 epochs in a row without a lower loss."""
    drops = waited = 0
    best = np.inf
    for loss in losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == _PLATEAU_PATIENCE:
            drops, waited = drops + 1, 0
    return drops


def _loss(row: Mapping[str, Any]) -> float:
    return float(row.get("val_loss", row["loss"]))


def _rows(state: TrainingState, phase: Phase) -> list[dict[str, Any]]:
    return [row for row in state.history if row["phase"] == phase.name]
