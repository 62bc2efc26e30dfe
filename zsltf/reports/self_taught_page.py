"""What the page of a self-taught run shows besides its report.json."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zsltf.reports.domain_map import domain_map
from zsltf.reports.label_curve import label_curve

__all__ = ["self_taught_content"]


def self_taught_content(report: Mapping[str, Any]) -> dict[str, Any]:
    """The curve, rows by number of labels, the headline's row, and the maps."""
    means, names = report["means"], ("test", "unlabelled")
    shares = sorted({row["share"] for row in means})
    return {
        "curve": label_curve(means),
        "groups": [(share, [row for row in means if row["share"] == share]) for share in shares],
        "main": next(row for row in means if row["method"] == report["method"] and row["share"] == shares[0]),
        "figures": [
            domain_map(np.array(one["points"]), np.array(one["is_unlabelled"]), np.array(one["y"]), names, one["title"])
            for one in report["maps"]
        ],
    }
