"""An adaptation run's folder, and its figures on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.data.images import Images
from zsltf.evaluation.adaptation import Adapted
from zsltf.evaluation.adaptation_criteria import criterion_rows
from zsltf.evaluation.adaptation_photos import REFERENCE, AdaptationPhotos
from zsltf.reports.adaptation_maps import domain_maps
from zsltf.reports.adaptation_words import adaptation_notes
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.classification import golden_batch, plain, thumbnail
from zsltf.reports.html import write_report
from zsltf.runs import Run

__all__ = ["print_adaptation", "print_run", "write_adaptation_run"]

_PICTURES = 8
"""Classes whose first image of either domain the report shows."""


def write_adaptation_run(folder: Path, done: AdaptationPhotos, config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a new run folder, report.html included, and return report.json's content.

    Args:
        folder: empty.
        done: the Classifier of its method's first seed ships.
        config: settings.
    """
    source, target = done.pair.names
    rows = method_rows(done)
    report: dict[str, Any] = plain(
        {
            "kind": "adaptation",
            "title": f"{done.name}: {source} to {target}",
            "recipe": "dann",
            "seconds": done.seconds,
            "backbone": describe_backbone(done.start.backbone),
            "domains": {"source": source, "target": target},
            "method": done.name,
            "epochs": done.descent.epochs,
            "seeds": done.protocol.seeds,
            "chance": 1 / len(done.pair.classes),
            "methods": rows,
            "criteria": criterion_rows(done.outcome, done.name),
            "classes": done.pair.classes.names,
            "maps": domain_maps(done),
            "data": _data(done),
            "notes": adaptation_notes(done, rows),
            "samples": _write_pictures(folder, done),
        }
    )
    run = Run(folder)
    golden = golden_batch(_decodable(done.pair.target, done), done.start.backbone.preprocess)
    run.write(done.classifier(), config=dict(config), report=report, golden=golden)
    write_report(run)
    return report


def method_rows(done: AdaptationPhotos) -> list[dict[str, Any]]:
    """The method's row first, then source-only's: means over seeds, intervals, and how far one is above the other."""
    rows, outcome = [], done.outcome
    for name in reversed(list(outcome.runs)):
        gain, around = outcome.above_source_only(name)
        recalibrated = outcome.accuracies(name, recalibrated=True)
        measured = not np.isnan(recalibrated).any()
        rows.append(
            {
                "name": name,
                "mean": outcome.accuracies(name).mean(),
                "interval": outcome.interval(name),
                "accuracies": outcome.accuracies(name),
                "gain": None if name == REFERENCE else gain,
                "gain_interval": None if name == REFERENCE else around,
                "recalibrated": recalibrated.mean() if measured else None,
                "recalibrated_interval": outcome.interval(name, recalibrated=True) if measured else None,
                "source": np.mean([run.source_accuracy for run in outcome.runs[name]]),
                "seconds": np.mean([run.seconds for run in outcome.runs[name]]),
            }
        )
    return rows


def print_run(name: str, seed: int, run: Adapted) -> None:
    """One line as a run ends."""
    console = Console(stderr=True)
    console.print(f"{name}, seed {seed}: {run.accuracy:.3f} ({run.seconds:.0f} s)", style="dim", highlight=False)


def print_adaptation(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Each method's accuracy on the target, its gain, and what the criteria without target labels say."""
    title = f"Accuracy on {report['domains']['target']}, mean over {len(report['seeds'])} seeds (%)"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("method", "target", "95 %", "gain", "95 %", "target's BatchNorm", "source"):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for row in report["methods"]:
        gain = (_percent(row["gain"], "+"), _range(row["gain_interval"], "+"))
        others = (_percent(row["recalibrated"]), _percent(row["source"]))
        table.add_row(row["name"], _percent(row["mean"]), _range(row["interval"]), *gain, *others)
    console = console or Console()
    console.print(table)
    for line in report["notes"]:
        console.print(f"{line}.", style="dim", highlight=False, soft_wrap=True)


def _percent(share: float | None, sign: str = "") -> str:
    return "" if share is None else format(100 * share, f"{sign}.1f")


def _range(interval: tuple[float, float] | None, sign: str = "") -> str:
    return "" if interval is None else " to ".join(_percent(end, sign) for end in interval)


def _decodable(images: Images, done: AdaptationPhotos) -> Images:
    return images.select([name not in done.start.skipped for name in images.names])


def _data(done: AdaptationPhotos) -> dict[str, Any]:
    pair = done.pair
    return {
        "images": {"source": len(pair.source), "target": len(pair.target)},
        "left_out": pair.left_out,
        "skipped": dict(done.start.skipped),
        "validation": done.protocol.validation,
        "test": done.protocol.test,
    }


def _write_pictures(folder: Path, done: AdaptationPhotos) -> list[dict[str, Any]]:
    """The first image of classes in either domain, side by side."""
    (folder / "samples").mkdir()
    names, rows = done.pair.classes.names, []
    domains = dict(zip(("source", "target"), (done.pair.source, done.pair.target), strict=True))
    kept = {domain: _decodable(images, done) for domain, images in domains.items()}
    for label in range(min(len(names), _PICTURES)):
        for domain, images in kept.items():
            first = int(np.flatnonzero(images.y == label)[0])
            file = f"samples/class_{label:02d}_{domain}.jpg"
            (folder / file).write_bytes(thumbnail(images, first))
            rows.append({"file": file, "source": images.names[first], "name": names[label], "domain": domain})
    return rows
