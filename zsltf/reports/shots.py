"""How accuracy grows with photos of a new class, on the terminal."""

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.any_shot import AnyShotOutcome

__all__ = ["print_shots"]


def print_shots(outcome: AnyShotOutcome, console: Console | None = None) -> None:
    """Mean and standard deviation (n - 1) over draws, with attributes and without."""
    table = Table(title="Accuracy among new classes, mean over classes (%)", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("photos a class", "attributes and photos", "sd", "photos alone", "sd"):
        table.add_column(heading, justify="right")
    for n, both in outcome.both.items():
        table.add_row(str(n), *_cells(both), *_cells(outcome.photos.get(n, [])))
    (console or Console()).print(table)


def _cells(values: list[float]) -> tuple[str, str]:
    mean = f"{100 * np.mean(values):.1f}" if values else ""
    return mean, f"{100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
