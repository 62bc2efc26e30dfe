"""A classification's figures as plain JSON: what the run folder keeps and the report shows."""

from typing import Any

import numpy as np

from zsltf.evaluation.classification_report import ClassificationReport, mean_over_classes
from zsltf.metrics.calibration import Reliability

__all__ = ["describe_classification"]


def describe_classification(report: ClassificationReport) -> dict[str, Any]:
    """Headline figures, classes, confusion matrix and reliability curve; None where something is not defined."""
    headline = {
        "accuracy": report.accuracy,
        "majority": report.majority,
        "mean_class_accuracy": report.mean_class_accuracy,
        "chance": report.chance,
        "auroc": mean_over_classes(report.auroc),
        "mean_average_precision": mean_over_classes(report.average_precision),
        "rare_sensitivity": mean_over_classes(report.sensitivity[report.rare]),
        "expected_calibration_error": report.reliability.expected_error,
        "negative_log_likelihood": report.negative_log_likelihood,
        "brier_score": report.brier_score,
    }
    return {
        "images": len(report.truth),
        "multi_label": report.multi_label,
        **{name: _number(value) for name, value in headline.items()},
        "classes": _classes(report),
        "confusion": None if report.confusion is None else report.confusion.tolist(),
        "reliability": _curve(report.reliability),
    }


def _classes(report: ClassificationReport) -> list[dict[str, Any]]:
    """A row a class; sensitivity is its accuracy."""
    figures = ("sensitivity", "specificity", "auroc", "average_precision")
    return [
        {
            "name": name,
            "test_images": int(report.truth[:, i].sum()),
            "train_images": None if report.train_images is None else int(report.train_images[i]),
            "rare": bool(report.rare[i]),
            **{figure: _number(getattr(report, figure)[i]) for figure in figures},
        }
        for i, name in enumerate(report.names)
    ]


def _curve(curve: Reliability) -> dict[str, list[Any]]:
    return {
        "confidence": [_number(value) for value in curve.confidence],
        "accuracy": [_number(value) for value in curve.accuracy],
        "count": curve.count.tolist(),
    }


def _number(value: float) -> float | None:
    """JSON knows no NaN."""
    return None if np.isnan(value) else float(value)
