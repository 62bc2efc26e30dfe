"""A run folder for each head of a multitask training, and what the heads reached, side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.transfer import Transferred
from zsltf.files import check_writable
from zsltf.reports.transfer import write_transfer_run
from zsltf.runs import RUN_FILES, Run

__all__ = ["check_heads_writable", "print_tasks", "task_rows", "write_multitask_run"]

_Outcomes = Mapping[str, Mapping[str, Transferred]]
_FIGURES = {
    "accuracy": "accuracy, trained classes",
    "unseen_accuracy": "unseen classes among themselves",
    "seen": "S",
    "unseen": "U",
    "harmonic_mean": "H",
}


def check_heads_writable(path: Path, heads: Sequence[str], *, overwrite: bool) -> None:
    """A run folder for each head can be written in the new folder `path`: called before slow work starts."""
    check_writable(path, overwrite=overwrite, ours=("report.json", *heads))
    for head in heads:
        check_writable(path / head, overwrite=overwrite, ours=RUN_FILES)


def write_multitask_run(
    folder: Path, outcomes: _Outcomes, *, recipe: str, config: dict[str, Any]
) -> list[dict[str, Any]]:
    """Fill a new folder with a run folder for each head and report.json, and return the rows of that.

    Args:
        folder: empty.
        outcomes: of `run_multitask`; the first training is what ships.
        recipe: its name.
        config: settings.
    """
    rows, together = task_rows(outcomes), next(iter(outcomes.values()))
    for head, outcome in together.items():
        (folder / head).mkdir()
        name = f"{head} alone"
        alone = outcomes.get(name, {}).get(head)
        write_transfer_run(folder / head, outcome, recipe=recipe, config=config, baseline=alone, baseline_name=name)
    Run(folder).write_json("report.json", {"kind": "multitask", "rows": rows})
    return rows


def task_rows(outcomes: _Outcomes) -> list[dict[str, Any]]:
    """A row a training and head; accuracies are means over classes, S, U and H at gamma 0."""
    return [
        {"training": training, "head": head, **_figures(outcome)}
        for training, heads in outcomes.items()
        for head, outcome in heads.items()
    ]


def _figures(outcome: Transferred) -> dict[str, float]:
    figures = {"accuracy": outcome.report.mean_class_accuracy, "chance": outcome.report.chance}
    found = outcome.zero_shot
    if found is not None:
        figures |= {"unseen_accuracy": found.unseen_accuracy, "unseen_chance": found.chance}
        figures |= {"seen": found.seen, "unseen": found.unseen, "harmonic_mean": found.harmonic_mean}
    return {**figures, "seconds": outcome.seconds}


def print_tasks(rows: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """What each head reached in each training.

    Args:
        rows: of `task_rows`.
        console: where to; standard output by default.
    """
    table = Table(title="Test images", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    known = [name for name in _FIGURES if any(name in row for row in rows)]
    for heading in ("training", "head", *(_FIGURES[name] for name in known)):
        table.add_column(heading, justify="left" if heading in ("training", "head") else "right")
    for row in rows:
        table.add_row(row["training"], row["head"], *(f"{row[name]:.3f}" if name in row else "" for name in known))
    console = console or Console()
    console.print(table)
    chances = {name: next((row[name] for row in rows if name in row), None) for name in ("chance", "unseen_chance")}
    told = f"Chance: {chances['chance']:.3f}"
    if chances["unseen_chance"] is not None:
        told += f", unseen classes among themselves {chances['unseen_chance']:.3f}"
    console.print(f"{told}.", style="dim", highlight=False)
