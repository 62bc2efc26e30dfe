"""A self-taught run's folder, and its figures on the terminal."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.label_summary import label_means, label_sentences
from zsltf.evaluation.self_taught_photos import SelfTaughtPhotos
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.classification import golden_batch, plain, thumbnail
from zsltf.reports.domain_map import planes
from zsltf.reports.html import write_report
from zsltf.runs import Run
from zsltf.training.embedding import embedded

__all__ = ["print_label_row", "print_self_taught", "write_self_taught_run"]

_DRAWN = 200
"""Labelled test examples, and as many unlabelled ones, in a map."""
_PICTURES = 12


def write_self_taught_run(folder: Path, done: SelfTaughtPhotos, config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a new run folder, report.html and encoder.keras included, and return report.json's content.

    Args:
        folder: empty.
        done: its Classifier ships.
        config: settings.
    """
    means = label_means(done.rows)
    report: dict[str, Any] = plain(
        {
            "kind": "self_taught",
            "title": f"{done.name}, then labels",
            "recipe": "self_taught",
            "seconds": done.seconds,
            "backbone": describe_backbone(done.backbone),
            "method": done.name,
            "start": done.start.start,
            "means": means,
            "rows": done.rows,
            "chance": _chance(done),
            "seeds": done.protocol.seeds,
            "classes": done.task.classes.names,
            "maps": _maps(done),
            "notes": _notes(done, means),
            "data": {
                "images": _counts(done),
                "skipped": dict(done.skipped),
                "not_images": done.labelled.not_images,
                "left_out": done.labelled.left_out,
            },
            "samples": _write_pictures(folder, done),
        }
    )
    run = Run(folder)
    golden = golden_batch(done.test(), done.backbone.preprocess)
    run.write(done.classifier, config=dict(config), report=report, golden=golden)
    done.encoder.save(folder / "encoder.keras")
    write_report(run)
    return report


def print_label_row(row: Mapping[str, Any]) -> None:
    """One figure as it comes."""
    told = f"seed {row['seed']}, {row['method']}, {row['use']}, {row['labels']} labels"
    print(f"{told}: {row['accuracy']:.3f}", flush=True)  # noqa: T201


def print_self_taught(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Accuracy by number of labels, and the gain over training from scratch."""
    labels = sorted({row["labels"] for row in report["means"]})
    table = Table(title="Accuracy by number of labels (%)", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("start", "use"):
        table.add_column(heading)
    for n in labels:
        for heading in (str(n), "to scratch"):
            table.add_column(heading, justify="right")
    for way in dict.fromkeys((row["method"], row["use"]) for row in report["means"]):
        own = [row for row in report["means"] if (row["method"], row["use"]) == way]
        table.add_row(*way, *(cell for row in own for cell in _cells(row)))
    console = console or Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    for line in report["notes"]:
        console.print(f"{line}.", style="dim", highlight=False, soft_wrap=True)


def _cells(row: Mapping[str, Any]) -> tuple[str, str]:
    reached = f"{100 * row['accuracy']:.1f} [{_range(row['interval'], '.1f')}]"
    if row["scratch"] is None:
        return reached, ""
    return reached, f"{100 * row['scratch']['gain']:+.1f} [{_range(row['scratch']['interval'], '+.1f')}]"


def _range(bounds: Sequence[float], form: str) -> str:
    return " to ".join(f"{100 * bound:{form}}" for bound in bounds)


def _chance(done: SelfTaughtPhotos) -> float:
    """Of always giving the test's most frequent class."""
    return float(np.bincount(done.task.test.y).max() / len(done.task.test))


def _counts(done: SelfTaughtPhotos) -> dict[str, int]:
    task = done.task
    return {"to learn from": len(task.train), "to test on": len(task.test), "unlabelled": len(task.unlabelled)}


def _notes(done: SelfTaughtPhotos, means: Sequence[Mapping[str, Any]]) -> list[str]:
    seeds = len(done.protocol.seeds)
    whose = "a folder of their own" if done.foreign else "the labelled images to learn from, without their labels"
    notes = [
        *label_sentences(means),
        f"Unlabelled images: {len(done.task.unlabelled)}, {whose}. From scratch and fine-tuning are the same training "
        "from two starts; nothing was chosen on test images",
        f"Brackets: 95 % intervals over seeds ({seeds}): other labels, other weights; the model of this folder is a "
        "linear probe with all labels on the first seed's encoder, which lies beside it as encoder.keras",
    ]
    if done.shared:
        told = "labels were not seen, their pixels were"
        notes.append(f"{done.shared} of the unlabelled images are test images: their {told}")
    if seeds < 3:
        notes.append(f"{seeds} seed{'' if seeds == 1 else 's'} say little: 3 or more are usual")
    return notes


def _maps(done: SelfTaughtPhotos) -> list[dict[str, Any]]:
    """Test examples and unlabelled ones in the plane, as they come and as the encoder embeds them."""
    rng, task = np.random.default_rng(0), done.task
    parts = [x[np.sort(rng.permutation(len(x))[:_DRAWN])] for x in (task.test.x, task.unlabelled.x)]
    rng = np.random.default_rng(0)
    y = task.test.y[np.sort(rng.permutation(len(task.test))[:_DRAWN])]
    x = np.concatenate(parts)
    stages = {"before": x.reshape(len(x), -1), "after": embedded(done.encoder, x)}
    return [
        {
            "title": f"{view}, {stage}",
            "points": points.round(4),
            "is_unlabelled": np.repeat([0, 1], [len(part) for part in parts]),
            "y": np.concatenate([y, np.full(len(parts[1]), -1)]),
        }
        for stage, vectors in stages.items()
        for view, points in planes(vectors).items()
    ]


def _write_pictures(folder: Path, done: SelfTaughtPhotos) -> list[dict[str, Any]]:
    """The first test image of some classes."""
    (folder / "samples").mkdir()
    images, names, rows = done.test(), done.task.classes.names, []
    for label, first in list(zip(*np.unique(done.task.test.y, return_index=True), strict=True))[:_PICTURES]:
        file = f"samples/class_{label:02d}.jpg"
        (folder / file).write_bytes(thumbnail(images, int(first)))
        rows.append({"file": file, "source": images.names[first], "name": names[label]})
    return rows
