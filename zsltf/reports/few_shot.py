"""A few-shot run's folder, and its figures on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.data.episodes import Range
from zsltf.data.few_shot_sets import NO_BASE
from zsltf.evaluation.few_shot import FEWEST, MethodOutcome
from zsltf.evaluation.few_shot_photos import FewShotPhotos
from zsltf.pretrained.imagenet import in_imagenet
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.classification import golden_batch, plain, thumbnail
from zsltf.reports.html import write_report
from zsltf.runs import Run

__all__ = ["method_rows", "print_few_shot", "write_few_shot_run"]

_PICTURES = 24
"""Novel classes whose first photo the report shows."""


def write_few_shot_run(folder: Path, done: FewShotPhotos, config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a new run folder, report.html included, and return report.json's content.

    Args:
        folder: empty.
        done: its Classifier of all novel classes ships; the figures are those of the episodes.
        config: settings.
    """
    outcome, sampler = done.outcome, done.protocol.sampler
    report: dict[str, Any] = plain(
        {
            "kind": "few_shot",
            "title": f"{next(iter(outcome.methods))}, {_setting(sampler.ways, sampler.shots)}",
            "recipe": "few_shot",
            "seconds": done.seconds,
            "backbone": describe_backbone(done.backbone),
            "protocol": outcome.protocol,
            "episodes": {
                "setting": _setting(sampler.ways, sampler.shots),
                "queries": sampler.queries,
                "balanced": sampler.balanced,
                "count": done.protocol.episodes,
                "seed": done.protocol.seed,
                "digest": outcome.digest,
            },
            "chance": outcome.chance,
            "methods": method_rows(outcome.methods),
            "classes": _classes(done),
            "data": _data(done),
            "notes": _notes(done),
            "samples": _write_pictures(folder, done),
        }
    )
    run = Run(folder)
    run.write(
        done.classifier,
        config=dict(config),
        report=report,
        golden=golden_batch(done.novel(), done.backbone.preprocess),
    )
    write_report(run)
    return report


def method_rows(methods: Mapping[str, MethodOutcome]) -> list[dict[str, Any]]:
    """A row a method: mean and interval over episodes, and by how much it is above the last one on the same."""
    rows, reference = [], list(methods.values())[-1]
    for name, one in methods.items():
        row = {
            "name": name,
            "mean": one.mean,
            "interval": one.interval,
            "transductive": one.learner.TRANSDUCTIVE,
            "difference": None,
            "difference_interval": None,
        }
        if one is not reference:
            row["difference"], row["difference_interval"] = one.above(reference)
        rows.append(row)
    return rows


def print_few_shot(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Each method's accuracy with its interval, and which episodes they are of."""
    episodes = report["episodes"]
    title = f"Accuracy, mean over {episodes['count']} episodes, {episodes['setting']} (%)"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("method", "accuracy", "95 %", "difference", "95 %"):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for row in report["methods"]:
        name = f"{row['name']} (transductive)" if row["transductive"] else row["name"]
        cells = (_percent(row["difference"]), _range(row["difference_interval"]))
        table.add_row(name, _percent(row["mean"]), _range(row["interval"]), *cells)
    console = console or Console()
    console.print(table)
    for line in report["notes"]:
        console.print(f"{line}.", style="dim", highlight=False, soft_wrap=True)


def _setting(ways: Range, shots: Range) -> str:
    return f"{_numbers(ways)}-way {_numbers(shots)}-shot"


def _numbers(given: Range) -> str:
    return str(given) if isinstance(given, int) else f"{given[0]} to {given[1]}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _range(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else " to ".join(map(_percent, interval))


def _classes(done: FewShotPhotos) -> list[dict[str, Any]]:
    """Novel classes, and the share of their queries that the method had right, hardest first."""
    main, classes = next(iter(done.outcome.methods.values())), done.sets.classes
    counts = np.bincount(done.sets.novel.y, minlength=len(classes))
    rows = [
        {"name": classes.names[label], "photos": int(counts[label]), "accuracy": main.per_class[label]}
        for label in np.unique(done.sets.novel.y)
    ]
    return sorted(rows, key=lambda row: 2 if np.isnan(row["accuracy"]) else row["accuracy"])


def _data(done: FewShotPhotos) -> dict[str, Any]:
    collection, counts = done.images.collection, done.images.counts()
    return {
        "classes": {role: classes for role, (classes, _) in counts.items()},
        "images": {role: images for role, (_, images) in counts.items()},
        "skipped": dict(done.skipped),
        "not_images": collection.not_images,
        "folders_left_out": collection.left_out,
        "duplicates": [str(pair) for pair in done.images.near_duplicates],
    }


def _notes(done: FewShotPhotos) -> list[str]:
    outcome, count = done.outcome, done.protocol.episodes
    told = {role: classes for role, (classes, _) in done.images.counts().items()}
    protocol = outcome.protocol
    if protocol != NO_BASE:
        protocol += f": {told['base']} to learn from" + (
            f", {told['validation']} to choose on" if "validation" in told else ""
        )
    notes = [
        f"Protocol: {protocol}, {told['novel']} novel ones to test on; chance {outcome.chance:.3f}",
        f"List of episodes {outcome.digest}: figures of another list can't be compared in pairs. The intervals say "
        "what other episodes of these classes might have given, not what other classes might",
        "The model of this folder knows all novel classes, each from all its photos; the figures are those of the "
        "episodes, in which a class had a few",
    ]
    if done.backbone.weights.source == "imagenet":
        names = [done.sets.classes.names[label] for label in np.unique(done.sets.novel.y)]
        notes.append(f"The backbone's training had {len(in_imagenet(names))} of the {len(names)} novel classes by name")
    idle = [name for name, one in outcome.methods.items() if getattr(one.method, "NEEDS_NETWORK", False)]
    if idle and protocol != NO_BASE:
        verb = "train a network, and features have" if len(idle) > 1 else "trains a network, and features have"
        notes.append(f"{' and '.join(idle)} {verb} none: base classes taught nothing")
    if count < FEWEST:
        notes.append(f"{count} episodes say little: {FEWEST} are usual")
    return notes


def _write_pictures(folder: Path, done: FewShotPhotos) -> list[dict[str, Any]]:
    """The first photo of novel classes."""
    (folder / "samples").mkdir()
    images, names, rows = done.novel(), done.sets.classes.names, []
    for label, first in list(zip(*np.unique(images.y, return_index=True), strict=True))[:_PICTURES]:
        file = f"samples/class_{label:02d}.jpg"
        (folder / file).write_bytes(thumbnail(images, int(first)))
        rows.append({"file": file, "source": images.names[first], "name": names[label]})
    return rows
