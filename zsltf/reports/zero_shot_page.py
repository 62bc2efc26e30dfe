"""What the page of a zero-shot run shows besides its report.json."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zsltf.reports.figures import confusion_figure, curve_figure
from zsltf.reports.semantic_figures import attribute_figure, similarity_figure

__all__ = ["zero_shot_content"]

_GAMMA = "\N{GREEK SMALL LETTER GAMMA}"


def zero_shot_content(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures and the class table; `head` is the first partition, which the page is about."""
    head = report["partitions"][0]
    return {**_figures(report["main"], head), "head": head, "classes": _classes(report["main"])}


def _figures(main: Mapping[str, Any], head: Mapping[str, Any]) -> dict[str, str]:
    """The SVGs; the matrix has its seen classes first."""
    rows = main["classes"]
    order = sorted(range(len(rows)), key=lambda i: not rows[i]["seen"])
    confusion = np.array(main["confusion"])[np.ix_(order, order)]
    labels = f"{_GAMMA} = 0", f"{_GAMMA} = {main['gamma']:.4g}, chosen"
    points = {label: (at["seen"], at["unseen"]) for label, at in zip(labels, (head["uncalibrated"], head), strict=True)}
    names, seen = [rows[i]["name"] for i in order], sum(row["seen"] for row in rows)
    semantics = main["semantics"]
    shown, columns = np.array(semantics["shown"])[order], semantics["columns"]
    return {
        "attributes": attribute_figure(shown, names, columns, seen) if columns else "",
        "likeness": similarity_figure(np.array(semantics["likeness"])[np.ix_(order, order)], names, seen),
        "matrix": confusion_figure(confusion, names, seen),
        "curve": curve_figure(np.array(main["curve"]["seen"]), np.array(main["curve"]["unseen"]), points),
    }


def _classes(main: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The class table, best first, each class with the one that it is taken for most often."""
    rows = []
    for i, (row, counts) in enumerate(zip(main["classes"], main["confusion"], strict=True)):
        others = [0 if i == j else count for j, count in enumerate(counts)]
        most = int(np.argmax(others))
        rows.append({**row, "confused": others[most], "taken_for": main["classes"][most]})
    return sorted(rows, key=lambda row: -1 if row["accuracy"] is None else row["accuracy"], reverse=True)
