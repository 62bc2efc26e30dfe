"""A probe's run folder, and its folds on the terminal."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.probe import Probed
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.classification import golden_batch, write_classification_run
from zsltf.reports.classification_run import ClassificationRun, DataSummary
from zsltf.training.history import write_history
from zsltf.training.selection import Choice

__all__ = ["print_folds", "write_probe_run"]


def write_probe_run(folder: Path, outcome: Probed, *, recipe: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a new run folder, cross_validation.csv and report included, and return report.json's content.

    Args:
        folder: empty.
        outcome: its Classifier of all images ships; the figures are those of the folds.
        recipe: its name.
        config: settings.
    """
    folds = {f"fold {number}": rows for number, rows in enumerate(outcome.folds)}
    run = ClassificationRun(
        recipe=recipe,
        title=f"{type(outcome.validation.choice.method).__name__}, {len(outcome.folds)}-fold cross-validation",
        seconds=outcome.seconds,
        backbone=describe_backbone(outcome.backbone),
        data=DataSummary.of(outcome.folded.labelled, folds, outcome.skipped, config),
        schedule=(),
        history=(),
        proofs=(),
        open_set=outcome.open_set,
        notes=_notes(outcome),
    )
    write_history(folder / "cross_validation.csv", _rows(outcome))
    return write_classification_run(
        folder,
        run=run,
        classifier=outcome.classifier(),
        report=outcome.report,
        images=outcome.images,
        golden=golden_batch(outcome.images, outcome.backbone.preprocess),
        config=dict(config),
    )


def print_folds(outcome: Probed, console: Console | None = None) -> None:
    """Accuracy and setting of each fold, mean and standard deviation (n - 1), and what chance reaches.

    Args:
        outcome: of `probe`.
        console: where to; standard output by default.
    """
    table = Table(title="Accuracy, mean over classes", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("fold", "images", "accuracy", "setting"):
        table.add_column(heading, justify="left" if heading == "setting" else "right")
    validation = outcome.validation
    for row, choice in zip(_rows(outcome), validation.choices, strict=True):
        table.add_row(str(row["fold"]), str(row["images"]), f"{row['accuracy']:.3f}", _setting(choice))
    table.add_section()
    told = validation.summary()
    table.add_row("mean", str(len(outcome.images)), f"{told['mean']:.3f}")
    table.add_row("sd", "", f"{told['sd']:.3f}")
    console = console or Console()
    console.print(table)
    console.print(f"Chance: {outcome.report.chance:.3f}.", style="dim", highlight=False)


def _rows(outcome: Probed) -> list[dict[str, Any]]:
    validation = outcome.validation
    return [
        {
            "fold": number,
            "images": len(rows),
            "accuracy": accuracy,
            **asdict(choice.method),
            **asdict(choice.preparation),
        }
        for number, (rows, accuracy, choice) in enumerate(
            zip(outcome.folds, validation.accuracies, validation.choices, strict=True)
        )
    ]


def _notes(outcome: Probed) -> tuple[str, ...]:
    validation, count = outcome.validation, len(outcome.folds)
    told = validation.summary()
    each = ", ".join(f"{accuracy:.3f}" for accuracy in validation.accuracies)
    return (
        f"Every image was scored by the one of {count} classifiers that was fitted without its fold; the figures are "
        f"theirs. The model of this folder is one more, fitted on all images: {_setting(validation.choice)}.",
        f"Accuracy of the folds, mean over classes: {each}; mean {told['mean']:.3f}, sd {told['sd']:.3f}.",
    )


def _setting(choice: Choice) -> str:
    """What is set, without what is switched off."""
    values = {**asdict(choice.method), **asdict(choice.preparation)}
    on = {name.replace("_", " "): value for name, value in values.items() if value not in (None, False, "none")}
    told = {name: f"{value:g}" if isinstance(value, float) else value for name, value in on.items()}
    return ", ".join(name if value is True else f"{name} {value}" for name, value in told.items())
