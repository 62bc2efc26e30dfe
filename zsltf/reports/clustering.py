"""Clusterings in one table, and their file."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.data.features import Features
from zsltf.data.images import Images
from zsltf.data.unlabelled import Unlabelled
from zsltf.evaluation.clustering import METRICS, clustering_means
from zsltf.reports.clustering_page import write_clustering_page
from zsltf.runs import Run, versions

__all__ = ["CLUSTERING_FILES", "print_clustering", "print_clustering_row", "write_clustering"]

CLUSTERING_FILES = ("report.json", "report.html")
"""All that the folder holds."""
_HEADINGS = {"accuracy": "ACC", "mutual_information": "NMI", "rand_index": "ARI"}


def write_clustering(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    task: tuple[Features, Unlabelled, tuple[str, ...]],
    images: Images,
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """Fill a new folder with report.json and report.html, and return the report.

    Args:
        folder: empty.
        rows: of `run_clustering`.
        task: of `clustering_task`.
        images: that it was made of.
        config: settings.
    """
    target, auxiliary, names = task
    report = {
        "kind": "clustering",
        "means": clustering_means(rows),
        "rows": list(rows),
        "classes": list(names),
        "images": list(target.paths),
        "counts": {"target": len(target), "auxiliary": len(auxiliary)},
        "seeds": len({row["seed"] for row in rows}),
        "settings": config,
        "versions": versions(),
    }
    Run(folder).write_json("report.json", report)
    write_clustering_page(folder / "report.html", report, target.y, images)
    return report


def print_clustering_row(row: Mapping[str, Any]) -> None:
    """One clustering as it comes."""
    told = ", ".join(f"{heading} {row[metric]:.3f}" for metric, heading in _HEADINGS.items())
    print(f"seed {row['seed']}, {row['method']}: {told}", flush=True)  # noqa: T201


def print_clustering(report: Mapping[str, Any], page: Path, console: Console | None = None) -> None:
    """ACC, NMI and ARI over seeds, by how much a method is above k-means, and where the page is."""
    table = Table(title="Clusters against classes (%)", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("method")
    for heading in _HEADINGS.values():
        for column in (heading, "above k-means"):
            table.add_column(column, justify="right")
    for row in report["means"]:
        table.add_row(row["method"], *(cell for metric in METRICS for cell in _cells(row[metric])))
    console = console or Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    counts, seeds = report["counts"], report["seeds"]
    told = (
        f"{counts['target']} images of {len(report['classes'])} classes, whose labels are for this table alone; "
        f"{counts['auxiliary']} auxiliary ones. ACC: share in the cluster that is matched to the class, one to one; "
        f"NMI and ARI: 100 is perfect, ARI 0 chance. Brackets: 95 % intervals over seeds ({seeds}) of the methods, "
        "not over other images."
    )
    console.print(told, style="dim", highlight=False)
    console.print(f"{page} shows the clusters.", highlight=False, soft_wrap=True)


def _cells(told: Mapping[str, Any]) -> tuple[str, str]:
    reached = f"{100 * told['mean']:.1f} [{_range(told['interval'], '.1f')}]"
    if "difference" not in told:
        return reached, ""
    return reached, f"{100 * told['difference']:+.1f} [{_range(told['difference_interval'], '+.1f')}]"


def _range(bounds: Sequence[float], form: str) -> str:
    return " to ".join(f"{100 * bound:{form}}" for bound in bounds)
