"""An instance transfer run's folder, and its figures on the terminal."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.instance_photos import InstancePhotos
from zsltf.evaluation.instance_transfer import ALONE, BOOSTED, BOTH, UNWEIGHTED, InstanceOutcome
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.classification import golden_batch, plain, thumbnail
from zsltf.reports.domain_map import planes
from zsltf.reports.html import write_report
from zsltf.reports.negative_transfer import transfer_note
from zsltf.runs import Run

__all__ = ["instance_rows", "print_instance", "write_instance_run"]

_DRAWN = 250
"""Examples of each domain in a map."""


def write_instance_run(folder: Path, done: InstancePhotos, config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a new run folder, report.html included, and return report.json's content.

    Args:
        folder: empty.
        done: its Classifier ships; it had no label of the target but those of the few.
        config: settings.
    """
    outcome, names = done.outcome, done.pair.names
    report: dict[str, Any] = plain(
        {
            "kind": "instance",
            "title": f"{outcome.main.split(', ')[-1]}, {Path(names[0]).name} to {Path(names[1]).name}",
            "recipe": "instance_transfer",
            "seconds": done.seconds,
            "backbone": describe_backbone(done.backbone),
            "domains": names,
            "images": (len(done.source), len(done.target)),
            "classes": done.pair.classes.names,
            "left_out": done.pair.left_out,
            "chance": 1 / len(done.pair.classes),
            "seeds": done.protocol.seeds,
            "shots": done.protocol.shots,
            "main": outcome.main,
            "rows": instance_rows(outcome),
            "sizes": outcome.sizes,
            "heaviest": float(outcome.weights.max()),
            "maps": _maps(done),
            "notes": _notes(done),
            "data": {"skipped": dict(done.skipped)},
            "samples": _write_pictures(folder, done),
        }
    )
    run = Run(folder)
    golden = golden_batch(done.pair.target, done.backbone.preprocess)
    run.write(done.classifier, config=dict(config), report=report, golden=golden)
    write_report(run)
    return report


def instance_rows(outcome: InstanceOutcome) -> list[dict[str, Any]]:
    """A row for each way to fit: mean and interval over seeds, and the gain over the source as it is."""
    rows = []
    for name, found in outcome.accuracies.items():
        row = {
            "name": name,
            "mean": found.mean(),
            "interval": outcome.interval(name),
            "difference": None,
            "difference_interval": None,
        }
        if name != UNWEIGHTED:
            row["difference"], row["difference_interval"] = outcome.above(name, UNWEIGHTED)
        rows.append(row)
    return rows


def print_instance(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Accuracy on the target of each way to fit, and what the weights are worth."""
    title = f"Accuracy on {report['domains'][1]}, mean over {len(report['seeds'])} seeds (%)"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("fitted on", "accuracy", "95 %", "to the source as it is", "95 %"):
        table.add_column(heading, justify="left" if heading == "fitted on" else "right")
    for row in report["rows"]:
        difference = "" if row["difference"] is None else f"{100 * row['difference']:+.1f}"
        cells = (f"{100 * row['mean']:.1f}", _range(row["interval"], ".1f"))
        table.add_row(row["name"], *cells, difference, _range(row["difference_interval"], "+.1f"))
    console = console or Console(width=None if sys.stdout.isatty() else 100)
    console.print(table)
    for line in report["notes"]:
        console.print(f"{line}.", style="dim", highlight=False, soft_wrap=True)


def _notes(done: InstancePhotos) -> list[str]:
    outcome, count = done.outcome, len(done.source)
    worth = f"{outcome.sizes.mean():.0f} ({100 * outcome.sizes.mean() / count:.0f} %)"
    pairs = [(outcome.main, outcome.reference)]
    pairs += [(BOOSTED, ALONE), (BOOSTED, UNWEIGHTED)] if outcome.main == BOOSTED else [(BOTH, ALONE), (BOOSTED, BOTH)]
    return [
        *(transfer_note(name, other, *outcome.above(name, other)) for name, other in pairs),
        f"Under the weights the {count} source examples are worth {worth} equal ones; the heaviest counts "
        f"{outcome.weights.max():.1f} times the mean",
        *(told.rstrip(".") for told in outcome.warned),
        f"{ALONE.capitalize()}, {BOTH} and TrAdaBoost had the labels of {done.protocol.shots} target examples of each "
        "class; the others had none. Intervals are over seeds: which target examples are the few, and which are "
        "tested on",
    ]


def _maps(done: InstancePhotos) -> list[dict[str, Any]]:
    """Features of both domains in the plane, with the weights of the source."""
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.permutation(len(part))[:_DRAWN]) for part in (done.source, done.target)]
    x = np.concatenate([done.source.x[rows[0]], done.target.x[rows[1]]])
    weights = done.outcome.weights[rows[0]].round(4)
    return [
        {"title": view, "source": points[: len(rows[0])], "target": points[len(rows[0]) :], "weights": weights}
        for view, points in ((name, places.round(4)) for name, places in planes(x).items())
    ]


def _write_pictures(folder: Path, done: InstancePhotos) -> list[dict[str, Any]]:
    """The heaviest and the lightest photos of the source."""
    (folder / "samples").mkdir()
    order, images, rows = np.argsort(-done.outcome.weights, kind="stable"), done.pair.source, []
    for number, row in enumerate((*order[:6], *order[-6:])):
        file = f"samples/source_{number:02d}.jpg"
        (folder / file).write_bytes(thumbnail(images, int(row)))
        name = done.pair.classes.names[int(images.y[row])]
        weight = float(done.outcome.weights[row])
        rows.append({"file": file, "source": images.names[row], "name": name, "weight": weight})
    return rows


def _range(interval: Sequence[float] | None, form: str) -> str:
    return "" if interval is None else " to ".join(format(100 * bound, form) for bound in interval)
