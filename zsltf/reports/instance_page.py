"""What the page of an instance transfer run shows besides its report.json."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zsltf.reports.weight_map import weight_map

__all__ = ["instance_content"]


def instance_content(report: Mapping[str, Any]) -> dict[str, Any]:
    """The method's row, and the maps."""
    main = next(row for row in report["rows"] if row["name"] == report["main"])
    names = tuple(report["domains"])
    figures = [
        weight_map(np.array(one["source"]), np.array(one["target"]), np.array(one["weights"]), names, one["title"])
        for one in report["maps"]
    ]
    return {"headline": main, "figures": figures}
