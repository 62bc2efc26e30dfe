"""A classification run's folder, and its schedule and figures on the terminal."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.images import Images
from zsltf.evaluation.classification_report import ClassificationReport
from zsltf.evaluation.classification_summary import describe_classification
from zsltf.layers.preprocess import Preprocess
from zsltf.reports.classification_run import Baseline, ClassificationRun
from zsltf.reports.html import write_report
from zsltf.reports.schedule_figure import short_rate
from zsltf.runs import Run
from zsltf.training.history import write_history

__all__ = [
    "golden_batch",
    "plain",
    "print_classification",
    "print_schedule",
    "thumbnail",
    "write_classification_run",
    "write_mistakes",
]

_HEADLINE = {
    "mean_class_accuracy": "accuracy, mean over classes",
    "accuracy": "accuracy",
    "mean_average_precision": "mAP",
    "auroc": "AUROC, mean over classes",
    "rare_sensitivity": "sensitivity, mean over rare classes",
    "expected_calibration_error": "calibration error (ECE)",
    "negative_log_likelihood": "loss (nats)",
    "brier_score": "Brier score",
}


def write_classification_run(
    folder: Path,
    *,
    run: ClassificationRun,
    classifier: Classifier,
    report: ClassificationReport,
    images: Images,
    golden: UInt8[np.ndarray, "N H W 3"],
    config: dict[str, Any],
) -> dict[str, Any]:
    """Fill a new run folder, report.html and the history.csv of a training included; return report.json's content.

    Args:
        folder: empty.
        run: the training.
        classifier: from images to classes.
        report: of the test set.
        images: the test set, row for row that of the report.
        golden: images that exports are held against, of `golden_batch`.
        config: settings.

    Raises:
        ValueError: if images and report differ in length.
    """
    if len(images) != len(report.truth):
        fail("images", f"{len(report.truth)}, one a row of the report", str(len(images)), "Give the test set.")
    content: dict[str, Any] = plain(
        {
            "kind": "classification",
            **{entry.name: getattr(run, entry.name) for entry in fields(run)},
            "data": vars(run.data),
            "open_set": None if run.open_set is None else vars(run.open_set),
            "baseline": None if run.baseline is None else _baseline(run.baseline),
            "test": describe_classification(report),
            "samples": write_mistakes(folder, report, images),
        }
    )
    target = Run(folder)
    target.write(classifier, config=config, report=content, golden=golden)
    if run.history:
        write_history(folder / "history.csv", run.history)
    write_report(target)
    return content


def golden_batch(images: Images, preprocess: Preprocess, count: int = 7) -> UInt8[np.ndarray, "N H W 3"]:
    """Images spread over the set, of one size that is neither square nor the network's: resizing is proved too."""
    size, rows = preprocess.size, np.unique(np.linspace(0, len(images) - 1, count).round().astype(int))
    loaded = [Image.fromarray(images.load(int(row), size, preprocess.resize_policy)) for row in rows]
    return np.stack([np.asarray(picture.resize((size * 9 // 8, size * 17 // 16))) for picture in loaded])


def write_mistakes(folder: Path, report: ClassificationReport, images: Images) -> list[dict[str, Any]]:
    """The worst mistakes, each with a thumbnail."""
    (folder / "samples").mkdir(exist_ok=True)
    samples = []
    for number, mistake in enumerate(report.mistakes()):
        name = f"samples/{number:02d}.jpg"
        (folder / name).write_bytes(thumbnail(images, mistake.index))
        samples.append({"file": name, "source": images.names[mistake.index], **asdict(mistake)})
    return samples


def thumbnail(images: Images, row: int) -> bytes:
    """One image as a small JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(images.load(row, 160, "crop")).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _baseline(baseline: Baseline) -> dict[str, Any]:
    told = describe_classification(baseline.report)
    figures = {name: told[name] for name in _HEADLINE}
    return {"name": baseline.name, "seconds": baseline.seconds, "history": baseline.history, **figures}


def plain(value: Any) -> Any:
    """What JSON can say: lists for arrays and tuples, None for NaN and infinity."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_schedule(rows: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Stages by phases with their learning rates, the head on top; frozen ones in grey.

    Args:
        rows: the schedule, of `schedule_rows`.
        console: where to; standard output by default.
    """
    table = Table(title="Learning rates", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("phase")
    for row in rows:
        table.add_column(Text(row["phase"]), justify="right")
    table.add_row("epochs", *(str(row["epochs"]) for row in rows))
    table.add_row("course", *(row["course"] for row in rows))
    if any(row["layer_decay"] != 1 for row in rows):
        table.add_row("decay a layer", *(f"{row['layer_decay']:g}" for row in rows))
    table.add_row("batch norm", *(row["batch_norm"] for row in rows), end_section=True)
    for stage in reversed(rows[0]["rates"]):
        table.add_row(Text(stage), *(_rate(row["rates"][stage]) for row in rows))
    (console or Console()).print(table)


def _rate(rate: float) -> Text:
    return Text(short_rate(rate)) if rate else Text("frozen", style="bright_black")


def print_classification(report: Mapping[str, Any], console: Console | None = None) -> None:
    """The headline figures, with those of the baseline beside them.

    Args:
        report: of `write_classification_run`.
        console: where to; standard output by default.
    """
    test, baseline = report["test"], report["baseline"]
    table = Table(title=f"{test['images']} test images", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("", "this run", *([baseline["name"]] if baseline else [])):
        table.add_column(Text(heading), justify="right" if heading else "left")
    for name, heading in _HEADLINE.items():
        cells = [run[name] for run in (test, baseline) if run]
        if any(cell is not None for cell in cells) and (test["multi_label"] or name != "mean_average_precision"):
            table.add_row(heading, *("" if cell is None else f"{cell:.3f}" for cell in cells))
    console = console or Console()
    console.print(table)
    floor = "a blind ranking's mAP" if test["multi_label"] else "a constant answer's mean over classes"
    console.print(f"Chance, {floor}: {test['chance']:.3f}.", style="dim", highlight=False)
