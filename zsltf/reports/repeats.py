"""Trainings under several seeds: what each reached, and their mean and spread."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zsltf.evaluation.transfer import Transferred
from zsltf.reports.transfer import write_transfer_run

__all__ = ["print_repeats", "write_repeats_run"]


def write_repeats_run(
    folder: Path, outcomes: Mapping[str, Sequence[Transferred]], *, recipe: str, config: dict[str, Any]
) -> dict[str, Any]:
    """The run folder of the last network's first training; the first network's is its baseline, all are noted.

    Args:
        folder: empty.
        outcomes: name of the network -> its trainings; the first is from scratch.
        recipe: its name.
        config: settings.
    """
    (baseline, *_), *_, (ships, *_) = outcomes.values()
    notes = [_note(name, runs) for name, runs in outcomes.items()]
    return write_transfer_run(folder, ships, recipe=recipe, config=config, baseline=baseline, notes=notes)


def _note(name: str, runs: Sequence[Transferred]) -> str:
    accuracies, seeds = _accuracies(runs), ", ".join(str(run.method.training.seed) for run in runs)
    spread = f", mean {accuracies.mean():.3f}, sd {accuracies.std(ddof=1):.3f}" if len(runs) > 1 else ""
    return f"{name}: accuracy {', '.join(_cells(accuracies))}, seeds {seeds}{spread}"


def _accuracies(runs: Sequence[Transferred]) -> np.ndarray:
    return np.array([run.report.mean_class_accuracy for run in runs])


def print_repeats(outcomes: Mapping[str, Sequence[Transferred]], console: Console | None = None) -> None:
    """Accuracy (mean over classes) a seed and a network, then mean and standard deviation (n - 1), and seconds.

    Args:
        outcomes: name of the network -> its trainings, the same number for each.
        console: where to; standard output by default.
    """
    table = Table(title="Accuracy on the test images", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("seed")
    for name in outcomes:
        table.add_column(Text(name), justify="right")
    # (networks, seeds)
    reached = np.stack([_accuracies(runs) for runs in outcomes.values()])
    for run, accuracies in zip(next(iter(outcomes.values())), reached.T, strict=True):
        table.add_row(str(run.method.training.seed), *_cells(accuracies))
    table.add_section()
    table.add_row("mean", *_cells(reached.mean(axis=1)))
    if reached.shape[1] > 1:
        table.add_row("sd", *_cells(reached.std(axis=1, ddof=1)))
    table.add_row("seconds each", *(f"{np.mean([run.seconds for run in runs]):.0f}" for runs in outcomes.values()))
    (console or Console()).print(table)


def _cells(values: np.ndarray) -> list[str]:
    return [f"{value:.3f}" for value in values]
