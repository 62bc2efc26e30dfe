"""Training on the terminal: a live bar while an epoch runs, and one line when it is done."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

import keras
from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

__all__ = ["Progress"]


class Progress(keras.callbacks.Callback):
    """Loss, metrics, images/s and time left; where no terminal is listening, the line an epoch only.

    One instance serves every phase of a training, in a `with`, so that the terminal is given back if training fails. A
    model that has a `phase` is announced by the phase's name.

    Args:
        batch_size: images a step.
        schedule: rows of `schedule_rows`; with them, the time left counts the phases that are still to come.
        console: where to; standard output by default.
    """

    async_safe = True  # Keras need not wait for it between steps

    def __init__(
        self, *, batch_size: int, schedule: Sequence[Mapping[str, Any]] = (), console: Console | None = None
    ) -> None:
        super().__init__()
        self.batch_size, self.schedule = batch_size, schedule
        self.images_per_second = 0.0  # of the last epoch's training steps
        self._console = console or Console()
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(10),
            _Figures(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", start=False, visible=False)
        self._title, self._started = "", 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self._started = time.perf_counter()
        self._title = f"{self._phase or 'epoch'} {epoch + 1}/{self.params['epochs']}"
        self._bar.reset(self._task, total=self.params["steps"], description=self._title, visible=True)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        speed = (batch + 1) * self.batch_size / max(time.perf_counter() - self._started, 1e-9)
        self.images_per_second = speed
        if not self._bar.disable:
            self._bar.update(self._task, completed=batch + 1, logs=logs or {}, images_per_second=speed)

    def on_test_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self._bar.update(self._task, description=f"{self._title} validating")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        seconds, left = time.perf_counter() - self._started, self._epochs_after(epoch)
        parts = [self._title, _figures(logs or {}, self.images_per_second), _clock(seconds)]
        if left:
            parts.append(f"about {_clock(seconds * left)} left")
        self._console.print("  ".join(parts), soft_wrap=True, highlight=False, markup=False)
        self._bar.update(self._task, visible=False)

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        self._bar.stop()

    @property
    def _phase(self) -> str:
        return getattr(getattr(self.model, "phase", None), "name", "")

    def _epochs_after(self, epoch: int) -> int:
        names = [row["phase"] for row in self.schedule]
        later = self.schedule[names.index(self._phase) + 1 :] if self._phase in names else ()
        return int(self.params["epochs"]) - epoch - 1 + sum(row["epochs"] for row in later)


class _Figures(ProgressColumn):
    """Loss and metrics, formatted only when the screen is drawn."""

    def render(self, task: Task) -> Text:
        fields = task.fields
        if "logs" not in fields:
            return Text()
        return Text(_figures(fields["logs"], fields["images_per_second"]), no_wrap=True, overflow="ellipsis")


def _figures(logs: Mapping[str, float], images_per_second: float) -> str:
    """Training before validation, the loss before the metrics."""
    names = sorted(logs, key=lambda name: (name.startswith("val_"), name.removeprefix("val_") != "loss"))
    speed = f"{images_per_second:,.0f}" if images_per_second >= 100 else f"{images_per_second:.3g}"
    return "  ".join([*(f"{name} {logs[name]:.4g}" for name in names), f"{speed} images/s"])


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
