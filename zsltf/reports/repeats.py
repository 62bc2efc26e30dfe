"""Trainings under several seeds on the terminal: what each reached, and their mean and spread."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zsltf.evaluation.transfer import Transferred

__all__ = ["print_repeats"]


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
    reached = np.array([[run.report.mean_class_accuracy for run in runs] for runs in outcomes.values()])
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
