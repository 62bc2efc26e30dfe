"""Transfer and meta-learning in one table, and its file."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.transfer_and_meta import fusion_means
from zsltf.runs import Run, versions

__all__ = ["FUSION_FILES", "print_fusion", "print_training", "write_fusion"]

FUSION_FILES = ("report.json",)
"""All that the folder holds."""


def write_fusion(folder: Path, rows: Sequence[dict[str, Any]], config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a new folder with report.json, and return the report."""
    told = {"kind": "transfer_and_meta", "means": fusion_means(rows), "rows": rows}
    report = {**told, "settings": config, "versions": versions()}
    Run(folder).write_json(FUSION_FILES[0], report)
    return report


def print_training(row: Mapping[str, Any]) -> None:
    """One figure as it comes."""
    told = f"{row['start']}, seed {row['seed']}, {row['training']}, {row['shots']}-shot"
    print(f"{told}: {row['accuracy']:.3f} [{_range(row['interval'], '.3f')}]", flush=True)  # noqa: T201


def print_fusion(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Mean accuracy over seeds, and by how much each training is above none."""
    shots = list(dict.fromkeys(row["shots"] for row in report["means"]))
    table = Table(title="Accuracy on novel classes (%)", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("start", "training"):
        table.add_column(heading)
    for n in shots:
        for heading in (f"{n}-shot", "above neither"):
            table.add_column(heading, justify="right")
    for start, training in dict.fromkeys((row["start"], row["training"]) for row in report["means"]):
        cells = [row for row in report["means"] if (row["start"], row["training"]) == (start, training)]
        table.add_row(start, training, *(cell for row in cells for cell in _cells(row)))
    console = console or Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    seeds = len(report["means"][0]["by_seed"])
    told = f"Brackets: 95 % intervals over seeds ({seeds}): other classes, other weights."
    console.print(told, style="dim", highlight=False)


def _cells(row: Mapping[str, Any]) -> tuple[str, str]:
    reached = f"{100 * row['accuracy']:.1f} [{_range(row['interval'], '.1f', 100)}]"
    if row["training"] == "neither":
        return reached, ""
    return reached, f"{100 * row['difference']:+.1f} [{_range(row['difference_interval'], '+.1f', 100)}]"


def _range(bounds: Sequence[float], form: str, times: float = 1) -> str:
    return " to ".join(f"{times * bound:{form}}" for bound in bounds)
