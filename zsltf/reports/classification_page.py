"""What the page of a classification run shows besides its report.json."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from zsltf.reports.figures import confusion_figure, reliability_figure
from zsltf.reports.schedule_figure import schedule_figure
from zsltf.reports.training_figures import learning_curve_figures, learning_rate_finder_figure

__all__ = ["classification_content"]


def classification_content(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures and the class table."""
    phases = [phase for phase, _ in groupby(row.get("phase", "") for row in report["history"])]
    return {**_figures(report), "phases": phases, "classes": _classes(report["test"]), "proofs": _proofs(report)}


def _figures(report: Mapping[str, Any]) -> dict[str, Any]:
    """The SVGs; None where a run has nothing to draw."""
    test, sweep, schedule = report["test"], report["learning_rate_finder"], report["schedule"]
    names, matrix = [row["name"] for row in test["classes"]], test["confusion"]
    curve = test["reliability"]
    confidence, accuracy = (np.array(curve[name], float) for name in ("confidence", "accuracy"))
    return {
        "heat_map": schedule_figure(schedule) if schedule else None,
        "curves": learning_curve_figures(report["history"], report["baseline"]),
        "finder": None if sweep is None else learning_rate_finder_figure(sweep),
        "matrix": None if matrix is None else confusion_figure(np.array(matrix), names),
        "reliability": reliability_figure(confidence, accuracy, np.array(curve["count"])),
    }


def _classes(test: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The class table, worst first, each class with the one that it is taken for most often."""
    confusion = test["confusion"] or [[0] * len(test["classes"])] * len(test["classes"])
    rows = []
    for i, (row, counts) in enumerate(zip(test["classes"], confusion, strict=True)):
        others = [0 if i == j else count for j, count in enumerate(counts)]
        most = int(np.argmax(others))
        rows.append({**row, "confused": others[most], "taken_for": test["classes"][most]["name"]})
    figure = "average_precision" if test["multi_label"] else "sensitivity"
    return sorted(rows, key=lambda row: 2 if row[figure] is None else row[figure])


def _proofs(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What moved in each phase, held against the schedule."""
    rates: dict[str, Mapping[str, float]] = {row["phase"]: row["rates"] for row in report["schedule"]}

    def holds(moved: Sequence[str], phase: str) -> bool:
        return all(rates[phase][stage] > 0 for stage in moved)

    return [{**proof, "holds": holds(proof["moved"], proof["phase"])} for proof in report["proofs"]]
