"""What the page of an adapted run shows besides its report.json."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zsltf.reports.figures import confusion_figure

__all__ = ["support_content"]


def support_content(report: Mapping[str, Any]) -> dict[str, Any]:
    """The confusion matrix, where something was tested, and what each class has."""
    tested = report.get("test")
    found = {row["name"]: row for row in tested["classes"]} if tested else {}
    classes = [{"name": name, "photos": count, **_row(found.get(name))} for name, count in report["shots"].items()]
    return {"interval": report.get("interval"), "test": tested, "matrix": _matrix(tested), "classes": classes}


def _matrix(tested: Mapping[str, Any] | None) -> str | None:
    if tested is None:
        return None
    return confusion_figure(np.array(tested["confusion"]), [row["name"] for row in tested["classes"]])


def _row(row: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"tested": 0 if row is None else row["test_images"], "accuracy": None if row is None else row["sensitivity"]}
