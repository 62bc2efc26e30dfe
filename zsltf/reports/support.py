"""The run folder of a Classifier that was adapted to a few photos a class, and its figures on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from zsltf.evaluation.classification_summary import describe_classification
from zsltf.evaluation.support import MOST_SHOTS, Adapted
from zsltf.metrics.intervals import class_interval
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.classification import golden_batch, plain, thumbnail, write_mistakes
from zsltf.reports.html import write_report
from zsltf.runs import Run

__all__ = ["print_adapted", "write_support_run"]

_PICTURES = 24
"""Classes whose first photo the report shows."""


def write_support_run(folder: Path, adapted: Adapted, config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a new run folder, report.html included, and return report.json's content.

    Args:
        folder: empty.
        adapted: what ships.
        config: settings.
    """
    photos, name = adapted.photos, type(adapted.method).__name__
    report: dict[str, Any] = {
        "kind": "support",
        "title": f"{name} on {_shots(adapted)} a class",
        "recipe": "adapt",
        "seconds": adapted.seconds,
        "backbone": describe_backbone(adapted.backbone),
        "method": name,
        "shots": adapted.shots,
        "tested": adapted.how,
        **_figures(adapted),
        "samples": [*_write_pictures(folder, adapted), *_write_mistakes(folder, adapted)],
        "data": _data(adapted),
        "notes": _notes(adapted),
    }
    report = plain(report)
    run = Run(folder)
    golden = golden_batch(photos.support, adapted.backbone.preprocess)
    run.write(adapted.classifier, config=dict(config), report=report, golden=golden)
    write_report(run)
    return report


def print_adapted(report: Mapping[str, Any], console: Console | None = None) -> None:
    """How many photos there are, what was reached on which, and what is to be known of them."""
    console = console or Console()
    console.print(f"{report['title']}: {len(report['shots'])} classes.", highlight=False, soft_wrap=True)
    if "test" in report:
        test, (low, high) = report["test"], report["interval"]
        reached = f"{test['mean_class_accuracy']:.3f} (95 % over classes {low:.3f} to {high:.3f})"
        console.print(
            f"Accuracy, mean over classes: {reached}; chance {test['chance']:.3f}.", highlight=False, soft_wrap=True
        )
    for line in (report["tested"], *report["notes"]):
        console.print(f"{line[0].upper()}{line[1:]}.", style="dim", highlight=False, soft_wrap=True)


def _shots(adapted: Adapted) -> str:
    fewest, most = min(adapted.shots.values()), max(adapted.shots.values())
    return f"{fewest} photo{'s' if fewest > 1 else ''}" if fewest == most else f"{fewest} to {most} photos"


def _figures(adapted: Adapted) -> dict[str, Any]:
    report = adapted.report
    if report is None:
        return {}
    return {"test": describe_classification(report), "interval": class_interval(report.sensitivity)}


def _write_mistakes(folder: Path, adapted: Adapted) -> list[dict[str, Any]]:
    if adapted.report is None or adapted.tested is None:
        return []
    return write_mistakes(folder, adapted.report, adapted.tested)


def _write_pictures(folder: Path, adapted: Adapted) -> list[dict[str, Any]]:
    """The first photo of each class."""
    (folder / "samples").mkdir()
    images, names, rows = adapted.photos.support, adapted.photos.classes.names, []
    for label, first in zip(*np.unique(images.y, return_index=True), strict=True):
        if label < _PICTURES:
            file = f"samples/class_{label:02d}.jpg"
            (folder / file).write_bytes(thumbnail(images, int(first)))
            rows.append({"file": file, "source": images.names[first], "truth": [names[label]], "ranking": []})
    return rows


def _data(adapted: Adapted) -> dict[str, Any]:
    photos, base = adapted.photos, adapted.photos.base
    images = {"support": len(photos.support)}
    if photos.test is not None:
        images["test"] = len(photos.test)
    if base is not None:
        images["base"] = len(base.images) - len(adapted.skipped)
    return {
        "source": photos.source,
        "images": images,
        "skipped": adapted.skipped,
        "not_images": photos.not_images,
        "left_out": photos.left_out,
    }


def _notes(adapted: Adapted) -> list[str]:
    notes, base = [], adapted.photos.base
    if base is not None:
        name, count = type(adapted.method).__name__, len(base.classes)
        if getattr(adapted.method, "NEEDS_NETWORK", False):
            notes.append(
                f"{name} trains a network, of which adapt has none: the {count} base classes taught it nothing"
            )
        else:
            notes.append(f"{name} was given {count} base classes to learn from")
    if adapted.photos.left_out:
        notes.append(f"base classes left out, for they are in the support: {', '.join(adapted.photos.left_out)}")
    many = [name for name, count in adapted.shots.items() if count > MOST_SHOTS]
    if many:
        told = f"{', '.join(many[:5])} {'has' if len(many) == 1 else 'have'} more than {MOST_SHOTS} photos"
        notes.append(f"{told}: with so many, linear_probe or finetune may reach more")
    return notes
