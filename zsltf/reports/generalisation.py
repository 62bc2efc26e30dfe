"""A domain generalisation run's folder, and its figures on the terminal."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.generalisation_photos import GeneralizedPhotos
from zsltf.evaluation.generalisation_trials import GeneralizationOutcome, Trial
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.classification import golden_batch, plain, thumbnail
from zsltf.reports.domain_map import planes
from zsltf.reports.generalisation_notes import generalisation_notes
from zsltf.reports.html import write_report
from zsltf.runs import Run

__all__ = ["described", "print_generalisation", "print_trial", "selection_rows", "write_generalisation_run"]

_DRAWN = 150
"""Examples of the new domain, and as many of the others, in a map."""


def write_generalisation_run(folder: Path, done: GeneralizedPhotos, config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a new run folder, report.html included, and return report.json's content.

    Args:
        folder: empty.
        done: its Classifier of all domains ships; the figures are of classifiers that had no image of the new domain.
        config: settings.
    """
    name = next(iter(done.outcome.trials))
    report: dict[str, Any] = plain(
        {
            "kind": "generalisation",
            "title": f"{name} on new domains",
            "recipe": "domain_generalisation",
            "seconds": done.seconds,
            "backbone": describe_backbone(done.backbone),
            "domains": {domain: len(part) for domain, part in done.domains.parts.items()},
            "classes": done.classes.names,
            "chance": 1 / len(done.classes),
            "seeds": done.outcome.seeds,
            "selections": done.outcome.selections,
            "rows": selection_rows(done.outcome),
            "choices": _choices(done, name),
            "setting": described(done.setting),
            "hardest": done.hardest,
            "maps": _maps(done),
            "notes": generalisation_notes(done),
            "data": {"skipped": dict(done.skipped), "not_images": done.images.images.not_images},
            "samples": _write_pictures(folder, done),
        }
    )
    run = Run(folder)
    golden = golden_batch(done.images.images, done.backbone.preprocess)
    run.write(done.classifier, config=dict(config), report=report, golden=golden)
    write_report(run)
    return report


def selection_rows(outcome: GeneralizationOutcome) -> list[dict[str, Any]]:
    """A row for each way to choose and method: accuracy by new domain, their mean, and the difference to ERM."""
    rows = []
    for selection in outcome.selections:
        for name in outcome.trials:
            found = outcome.accuracies(name, selection)
            row = {
                "selection": selection,
                "name": name,
                "domains": found.mean(axis=0),
                "spreads": _spread(found),
                "mean": found.mean(),
                "interval": outcome.interval(name, selection),
                "difference": None,
                "difference_interval": None,
            }
            if name != outcome.reference:
                row["difference"], row["difference_interval"] = outcome.above_reference(name, selection)
            rows.append(row)
    return rows


def described(setting: Any) -> dict[str, Any]:
    """What the settings of a method differ in."""
    descent = setting.descent
    own = {name: getattr(setting, name) for name in setting.SEARCH}
    return {**own, "learning_rate": descent.learning_rate, "penalty": descent.penalty}


def print_trial(name: str, trial: Trial) -> None:
    """One trial as it comes."""
    told = f"{name}, seed {trial.seed}, setting {trial.setting + 1}, new domain {trial.domain}"
    print(f"{told}: {trial.accuracy:.3f}", flush=True)  # noqa: T201


def print_generalisation(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Accuracy on each domain as the new one, for each way to choose settings."""
    table = Table(title="Accuracy on the new domain (%)", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("chosen by", "method", *report["domains"], "mean", "95 %", "to ERM", "95 %"):
        table.add_column(heading, justify="left" if heading in ("chosen by", "method") else "right")
    for row in report["rows"]:
        figures = (*map(_percent, (*row["domains"], row["mean"])), _range(row["interval"], ".1f"))
        difference = "" if row["difference"] is None else f"{100 * row['difference']:+.1f}"
        told = row["selection"] if row["name"] == report["rows"][0]["name"] else ""
        table.add_row(told, row["name"], *figures, difference, _range(row["difference_interval"], "+.1f"))
    console = console or Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for line in report["notes"]:
        console.print(f"{line}.", style="dim", highlight=False, soft_wrap=True)


def _spread(found: np.ndarray) -> np.ndarray | None:
    """Standard deviation over seeds, where there are several."""
    return found.std(axis=0, ddof=1) if len(found) > 1 else None


def _choices(done: GeneralizedPhotos, name: str) -> list[dict[str, Any]]:
    """The setting that each way chose for each new domain under each seed."""
    settings = done.protocol.settings(done.setting)
    return [
        {"selection": selection, "domain": one.domain, "seed": one.seed, **described(settings[one.setting])}
        for selection in done.outcome.selections
        for row in done.outcome.picked(name, selection)
        for one in row
    ]


def _maps(done: GeneralizedPhotos) -> list[dict[str, Any]]:
    """The hardest domain among the others in the plane: features, and embeddings by a network that never saw it."""
    rng = np.random.default_rng(0)
    parts = (done.domains.without(done.hardest).pooled, done.domains.parts[done.hardest])
    chosen = [part.select(np.sort(rng.permutation(len(part))[:_DRAWN])) for part in parts]
    x, y = (np.concatenate([getattr(part, name) for part in chosen]) for name in ("x", "y"))
    is_new = np.repeat([0, 1], [len(part) for part in chosen])
    stages = {"before": x, "after": np.asarray(done.without_hardest.embedding(x))}
    return [
        {"title": f"{view}, {stage}", "points": points.round(4), "is_new": is_new, "y": y}
        for stage, vectors in stages.items()
        for view, points in planes(vectors).items()
    ]


def _write_pictures(folder: Path, done: GeneralizedPhotos) -> list[dict[str, Any]]:
    """One photo of each domain, of a class in turn."""
    (folder / "samples").mkdir()
    images, rows = done.images, []
    for number, domain in enumerate(images.domains):
        label = number % len(images.names)
        first = int(np.flatnonzero((images.domain == number) & (images.images.y == label))[0])
        file = f"samples/domain_{number:02d}.jpg"
        (folder / file).write_bytes(thumbnail(images.images, first))
        source = images.images.names[first]
        rows.append({"file": file, "source": source, "name": images.names[label], "domain": domain})
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _range(interval: Sequence[float] | None, form: str) -> str:
    return "" if interval is None else " to ".join(format(100 * bound, form) for bound in interval)
