"""What selection chose and why, on the terminal."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zsltf.reports.phrases import phrase

__all__ = ["print_choice"]

_WHY = {
    False: "validation: unseen accuracy on folds in which some seen classes play the unseen ones; the best of all that"
    " was tried on them",
    True: "validation: unseen accuracy on folds in which some seen classes play the unseen ones; share: of the sum's"
    " weight. The sum begins with the methods within a standard error of the best one, and takes in more while that"
    " makes it better on the folds",
}


def print_choice(report: Mapping[str, Any], console: Console | None = None) -> None:
    """The chosen settings of a run's first partition; of a sum of methods, every candidate and its share.

    Args:
        report: as `write_run` returns it.
        console: where to; standard output by default.
    """
    chosen, *others = report["main"]["tried"]
    summed = any(choice["share"] is not None for choice in others)
    table = Table(title=Text(f"Chosen for {report['partitions'][0]['partition']}"), box=box.SIMPLE_HEAD)
    for heading in ("method", "validation", *(("share",) if summed else ())):
        table.add_column(heading, justify="left" if heading == "method" else "right", no_wrap=True)
    table.add_column("settings")
    table.add_column("preparation")
    for choice in (chosen, *(others if summed else ())):
        total = summed and choice is chosen
        share = "" if choice["share"] is None else f"{choice['share']:.2f}"
        table.add_row(
            "sum" if total else choice["method"],
            f"{100 * choice['fold_accuracy']:.1f}",
            *((share,) if summed else ()),
            "" if total else Text(phrase(choice["settings"])),
            "" if total else Text(phrase(choice["preparation"], brief=True)),
        )
    console = console or Console()
    console.print(table)
    console.print(_WHY[summed] + ".", style="dim")
