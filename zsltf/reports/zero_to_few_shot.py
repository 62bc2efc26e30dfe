"""A chain's folder, and what its stages add on the terminal."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.chain_summary import stage_differences, stage_means
from zsltf.evaluation.zero_to_few_shot import ALONE, Chain
from zsltf.pretrained.backbone import Backbone
from zsltf.reports.backbone import describe_backbone
from zsltf.runs import Run, versions

__all__ = ["CHAIN_FILES", "print_chain", "print_row", "write_chain"]

CHAIN_FILES = ("report.json", "classifier.keras")
"""All that the folder holds."""


def write_chain(folder: Path, chain: Chain, backbone: Backbone, config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a new folder with report.json and the Classifier, and return the report."""
    report = {
        "kind": "zero_to_few_shot",
        "backbone": describe_backbone(backbone),
        "stages": stage_means(chain.rows),
        "differences": stage_differences(chain.rows),
        "rows": chain.rows,
        "choices": chain.choices,
        "settings": config,
        "versions": versions(),
    }
    Run(folder).write_json(CHAIN_FILES[0], report)
    chain.classifier.save(folder / CHAIN_FILES[1])
    return report


def print_row(row: Mapping[str, Any]) -> None:
    """One task's figure as it comes."""
    if row["head"] != ALONE:
        told = f"{row['domain']} without {', '.join(row['held_out'])}, seed {row['seed']}, {row['stage']}"
        print(f"{told}, {row['shots']} photos: {row['accuracy']:.3f}", flush=True)  # noqa: T201


def print_chain(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Mean accuracy of each stage by number of photos, with its interval over seeds, and what each stage adds."""
    console = console or Console(width=None if sys.stdout.isatty() else 120)
    shots = list(dict.fromkeys(row["shots"] for row in report["stages"]))
    table = _table("Accuracy in the new domain, mean over classes (%)", ("stage", "head"), shots)
    for stage, head in dict.fromkeys((row["stage"], row["head"]) for row in report["stages"]):
        cells = {row["shots"]: row for row in report["stages"] if (row["stage"], row["head"]) == (stage, head)}
        table.add_row(stage, head, *(_mean(cells.get(n)) for n in shots))
    console.print(table)
    table = _table("What is added (points)", ("",), shots)
    for what in dict.fromkeys(row["what"] for row in report["differences"]):
        cells = {row["shots"]: row for row in report["differences"] if row["what"] == what}
        table.add_row(what, *(_difference(cells.get(n)) for n in shots))
    console.print(table)
    told = "Brackets: 95 % intervals, over seeds above, over pairs of a domain and held-out classes below."
    console.print(told, style="dim", highlight=False)


def _table(title: str, headings: Sequence[str], shots: Sequence[int]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading)
    for n in shots:
        table.add_column(f"{n} photo{'' if n == 1 else 's'}", justify="right")
    return table


def _mean(row: Mapping[str, Any] | None) -> str:
    return "" if row is None else f"{100 * row['accuracy']:.1f} [{_range(row, '.1f')}]"


def _difference(row: Mapping[str, Any] | None) -> str:
    return "" if row is None else f"{100 * row['difference']:+.1f} [{_range(row, '+.1f')}]"


def _range(row: Mapping[str, Any], form: str) -> str:
    return " to ".join(f"{100 * bound:{form}}" for bound in row["interval"])
