"""What the page of a domain generalisation run shows besides its report.json."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np

from zsltf.reports.domain_map import domain_map

__all__ = ["generalisation_content"]


def generalisation_content(report: Mapping[str, Any]) -> dict[str, Any]:
    """Rows by the way to choose, the headline's row, and the maps."""
    rows = report["rows"]
    names = ("other domains", report["hardest"])
    return {
        "groups": [(selection, list(found)) for selection, found in groupby(rows, key=lambda row: row["selection"])],
        "main": rows[0],
        "reference": rows[0]["name"] != rows[-1]["name"],
        "figures": [
            domain_map(np.array(one["points"]), np.array(one["is_new"]), np.array(one["y"]), names, one["title"])
            for one in report["maps"]
        ],
    }
