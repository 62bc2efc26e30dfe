"""A zero-shot run's folder, and its figures on the terminal."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.photos import PhotoOutcomes
from zsltf.evaluation.summary import describe_features, describe_outcome, describe_semantics, partition_rows, spread
from zsltf.evaluation.zero_shot import Outcome
from zsltf.pretrained.imagenet import in_imagenet
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.choice import print_choice
from zsltf.reports.html import write_report
from zsltf.runs import Run

__all__ = ["print_outcomes", "print_partitions", "print_run", "write_run"]

_HEADINGS = {
    "unseen_accuracy": "unseen",
    "new_to_backbone": "new",
    "shuffled": "shuffled",
    "mean_colour": "colour",
    "seen": "S",
    "unseen": "U",
    "harmonic_mean": "H",
    "area": "AUSUC",
}
_MEANINGS = {
    "unseen_accuracy": "unseen: images of classes without a training image, told apart among themselves",
    "new_to_backbone": "new: those of them that the backbone's training didn't have under that name",
    "shuffled": "shuffled: the same with attributes dealt at random",
    "mean_colour": "colour: the same method on the mean colour",
}


def write_run(folder: Path, outcomes: PhotoOutcomes, config: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Fill a new run folder, report.html included, and return the report."""
    run, known = Run(folder), _known(outcomes)
    rows = partition_rows(outcomes.outcomes, outcomes.floors, known)
    features = describe_features(outcomes.main_set.images, outcomes.extraction)
    report = {
        "kind": "zero_shot",
        "title": "Zero-shot classification of photos",
        "recipe": "zero_shot",
        "seconds": seconds,
        "backbone": describe_backbone(outcomes.backbone),
        "features": {**features, "duplicates": [asdict(pair) for pair in outcomes.near_duplicates]},
        "main": {**describe_outcome(outcomes.main), "semantics": describe_semantics(outcomes)},
        "partitions": rows,
        "open_set": asdict(outcomes.main.open_set),
        "known_to_backbone": known,
        "spread": {label: spread(group) for label, group in _groups(rows).items() if len(group) > 1},
        "samples": _write_samples(folder, outcomes),
    }
    run.write(outcomes.classifier(), config=config, report=report, golden=outcomes.golden())
    write_report(run)
    return report


def _known(outcomes: PhotoOutcomes) -> dict[str, str]:
    """Unseen classes that ImageNet has, where the backbone was trained on it."""
    if outcomes.backbone.weights.source != "imagenet":
        return {}
    tables = [outcome.report.classes for outcome in outcomes.outcomes.values()]
    return in_imagenet(sorted({name for table in tables for name in np.array(table.names)[~table.seen].tolist()}))


def print_outcomes(outcomes: Mapping[str, Outcome]) -> None:
    """The same table for outcomes that are not of photos."""
    rows = partition_rows(outcomes, {})
    groups = {label: spread(group) for label, group in _groups(rows).items() if len(group) > 1}
    print_partitions({"partitions": rows, "spread": groups})


def print_run(report: Mapping[str, Any]) -> None:
    """What selection chose and why, then the table of partitions."""
    print_choice(report)
    print_partitions(report)


def print_partitions(report: Mapping[str, Any]) -> None:
    """The table of partitions, and mean and spread of each group of them."""
    chances = {_percent(row["chance"]) for row in report["partitions"]}
    title = f"Accuracy, mean over classes (%); chance among unseen ones {' or '.join(sorted(chances))}"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("partition", no_wrap=True)
    shown = {key: heading for key, heading in _HEADINGS.items() if _told(report["partitions"], key)}
    for heading in shown.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report["partitions"]:
        table.add_row(row["partition"], *(_percent(row[column]) for column in shown))
    for label, figures in report["spread"].items():
        cells = [figures.get(column, {}) for column in shown]
        table.add_section()
        table.add_row(f"{label} mean", *(_percent(cell.get("mean")) for cell in cells))
        table.add_row(f"{label} sd", *(_percent(cell.get("sd")) for cell in cells))
    console = Console()
    console.print(table)
    told = "; ".join(_MEANINGS[key] for key in shown if key in _MEANINGS)
    console.print(f"{told}; S, U, H: all classes, calibrated.", style="dim")
    if len(report["partitions"]) == 1:
        console.print("One partition, one seed: other unseen classes may give other figures.", style="dim")


def _told(rows: list[dict[str, Any]], key: str) -> bool:
    """Whether the column says something of its own."""
    if key == "new_to_backbone":
        return any(row["known_to_backbone"] for row in rows)
    return any(row[key] is not None for row in rows)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _groups(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Partitions whose names differ in their number only: random_0, random_1 ... are one group."""

    def stem(row: dict[str, Any]) -> str:
        return re.sub(r"[\s_-]*\d+$", "", row["partition"])

    return {label: list(group) for label, group in groupby(sorted(rows, key=stem), key=stem)}


def _write_samples(folder: Path, outcomes: PhotoOutcomes) -> list[dict[str, Any]]:
    (folder / "samples").mkdir()
    classes, rows = outcomes.main.report.classes, []
    for number, sample in enumerate(outcomes.samples()):
        name = f"samples/{number:02d}.jpg"
        (folder / name).write_bytes(sample.thumbnail)
        truth = {"truth": classes.names[sample.truth], "seen": bool(classes.seen[sample.truth])}
        rows.append({"file": name, **asdict(sample), **truth})
        del rows[-1]["thumbnail"]
    return rows
