"""Outcomes as plain JSON: what the run folder keeps and the report shows."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from sklearn.preprocessing import normalize

from zsltf.data.images import ImageFolder
from zsltf.evaluation.attribute_view import named_columns
from zsltf.evaluation.photos import PhotoOutcomes
from zsltf.evaluation.zero_shot import Outcome
from zsltf.metrics.intervals import class_interval
from zsltf.pretrained.extract import Extraction
from zsltf.solvers.class_means import class_means
from zsltf.training.ensemble import Ensemble
from zsltf.training.selection import Choice

__all__ = ["describe_features", "describe_outcome", "describe_semantics", "partition_rows", "spread"]

_FIGURES = ("seen", "unseen", "harmonic_mean")


def partition_rows(
    outcomes: Mapping[str, Outcome], floors: Mapping[str, float], known: Collection[str] = ()
) -> list[dict[str, Any]]:
    """A row a partition: accuracies as fractions, next to chance, the shuffled control and the mean-colour floor.

    Args:
        outcomes: of each partition.
        floors: of the same method on the mean colour.
        known: classes that the backbone was trained on; the other unseen ones' accuracy stands beside.
    """
    return [
        {
            "partition": name,
            "split": o.split,
            "unseen_classes": list(_unseen(o)),
            "per_class": [None if np.isnan(a) else float(a) for a in o.report.unseen_per_class[~o.report.classes.seen]],
            "chance": o.report.chance,
            "unseen_accuracy": o.report.unseen_accuracy,
            "interval": list(o.report.interval),
            "known_to_backbone": [c for c in _unseen(o) if c in known],
            "new_to_backbone": _mean([o.report.unseen_per_class[i] for c, i in _unseen(o).items() if c not in known]),
            "shuffled": float(np.mean(o.shuffled)) if o.shuffled else None,
            "mean_colour": floors.get(name),
            "uncalibrated": dict(zip(_FIGURES, o.report.uncalibrated, strict=True)),
            "oracle": dict(zip(_FIGURES, o.report.oracle, strict=True), gamma=o.report.oracle_gamma),
            "seen": o.report.seen,
            "unseen": o.report.unseen,
            "harmonic_mean": o.report.harmonic_mean,
            "area": o.report.curve.area,
            "choice": _choice(o.choice),
        }
        for name, o in outcomes.items()
    ]


def _unseen(outcome: Outcome) -> dict[str, int]:
    classes = outcome.report.classes
    return {name: row for row, (name, seen) in enumerate(zip(classes.names, classes.seen, strict=True)) if not seen}


def _mean(values: list[float]) -> float | None:
    return float(np.nanmean(values)) if len(values) else None


def spread(rows: list[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Of each figure over partitions: mean, its 95 % interval, standard deviation (n - 1), minimum and maximum.

    Interval and deviation of a single value are None.
    """
    figures = (
        "unseen_accuracy",
        "new_to_backbone",
        "shuffled",
        "mean_colour",
        "seen",
        "unseen",
        "harmonic_mean",
        "area",
        "chance",
    )
    table: dict[str, dict[str, float | None]] = {}
    for figure in figures:
        values = np.array([row[figure] for row in rows if row[figure] is not None])
        if len(values):
            deviation = float(values.std(ddof=1)) if len(values) > 1 else None
            low, high = class_interval(values) if len(values) > 1 else (None, None)
            ends = {"min": float(values.min()), "max": float(values.max())}
            table[figure] = {"mean": float(values.mean()), "low": low, "high": high, "sd": deviation, **ends}
    return table


def describe_outcome(outcome: Outcome) -> dict[str, Any]:
    """One partition in full: classes, curve, confusion matrix and the settings that were tried."""
    report = outcome.report
    images = report.confusion.sum(axis=1)
    shares = {type(member.method): member.share for member in getattr(outcome.choice.method, "members", ())}
    return {
        "classes": [
            {"name": name, "seen": bool(seen), "accuracy": None if np.isnan(a) else float(a), "test_images": int(n)}
            for name, seen, a, n in zip(
                report.classes.names, report.classes.seen, report.per_class, images, strict=True
            )
        ],
        "confusion": report.confusion.tolist(),
        "curve": {"seen": report.curve.seen.tolist(), "unseen": report.curve.unseen.tolist()},
        "gamma": report.gamma,
        "scale": float(outcome.classifier.similarity.scale),
        "tried": [_choice(choice, shares) for choice in (outcome.choice, *outcome.runners_up)],
    }


def describe_semantics(outcomes: PhotoOutcomes, most: int = 60) -> dict[str, Any]:
    """How much of each attribute a class's test photos show, in [0, 1], and how alike classes' semantics are.

    Args:
        outcomes: the first one counts.
        most: attributes, those that differ most between classes.
    """
    classes, test, view = outcomes.main.report.classes, outcomes.main.test, outcomes.attributes
    named = sorted(named_columns(classes), key=lambda i: -view.given[:, i].std())[:most]
    means = class_means(view.shown, test.y, np.ones(len(test)), len(classes))
    centred = normalize(classes.semantics - classes.semantics[classes.seen].mean(axis=0))
    return {
        "columns": [classes.columns[i] for i in sorted(named)],
        "shown": np.round(np.nan_to_num(means[:, sorted(named)]), 3).tolist(),
        "likeness": np.round(centred @ centred.T, 3).tolist(),
    }


def describe_features(images: ImageFolder, extraction: Extraction) -> dict[str, Any]:
    """Where the features come from, and every file that is not among them."""
    return {
        "folder": str(images.root),
        "images": len(extraction.features),
        "size": int(extraction.features.x.shape[-1]),
        "cache_key": extraction.key,
        "skipped": extraction.skipped,
        "not_images": list(images.not_images),
        "folders_left_out": list(images.left_out),
    }


def _choice(choice: Choice, shares: Mapping[type, float] | None = None) -> dict[str, Any]:
    """With its share of the sum, if that is what was chosen: 0 for a method that was left out."""
    return {
        "method": type(choice.method).__name__,
        "settings": choice.settings,
        "preparation": asdict(choice.preparation),
        "fold_accuracy": choice.accuracy,
        "share": shares.get(type(choice.method), 0.0) if shares and type(choice.method) is not Ensemble else None,
    }
