"""A ranking of backbones on the terminal and as a CSV."""

import sys
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.checks import fail
from zsltf.evaluation.transferability import Ranked, Ranking
from zsltf.files import check_writable
from zsltf.reports.phrases import NOTHING
from zsltf.training.history import write_history

__all__ = ["check_ranking_file", "print_ranked", "print_ranking", "write_ranking"]


def print_ranked(row: Ranked) -> None:
    """One backbone as it comes, on standard error."""
    print(f"{row.name}: LogME {row.log_me:.3f} ({row.seconds:.0f} s)", file=sys.stderr, flush=True)  # noqa: T201


def print_ranking(ranking: Ranking, console: Console | None = None) -> None:
    """The table, best first, and what is not in it."""
    title = f"Backbones by LogME on {ranking.images} images of {ranking.classes} classes"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("backbone", "LogME", "H-score", "LEEP", "features", "s"):
        table.add_column(heading, justify="left" if heading == "backbone" else "right")
    for row in ranking.rows:
        told = NOTHING if row.leep is None else f"{row.leep:.3f}"
        figures = (f"{row.log_me:.4f}", f"{row.h_score:.2f}", told, str(row.features), f"{row.seconds:.0f}")
        table.add_row(row.name, *figures)
    console = console or Console(width=None if sys.stdout.isatty() else 100)
    console.print(table)
    lines = [f"Left out {name}: {reason}" for name, reason in ranking.left_out.items()]
    lines += [f"Skipped {name}: {reason}" for name, reason in ranking.skipped.items()]
    for line in lines:
        console.print(line, style="dim", highlight=False, soft_wrap=True, markup=False)


def check_ranking_file(path: Path) -> None:
    """A ranking can be written at `path`: it replaces an earlier one, and no other file."""
    check_writable(path, overwrite=True)
    if path.exists() and not (path.is_file() and path.read_bytes().startswith(b"name,log_me,")):
        fail(str(path), "a new file, or an earlier ranking to replace", "another one", "Choose another path.")


def write_ranking(path: Path, ranking: Ranking) -> None:
    """A row a backbone, best first."""
    write_history(path, [asdict(row) for row in ranking.rows])
