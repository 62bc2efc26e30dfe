"""What the page of an adaptation run shows besides its report.json."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zsltf.reports.domain_map import domain_map

__all__ = ["adaptation_content"]


def adaptation_content(report: Mapping[str, Any]) -> dict[str, Any]:
    """The method that the page is about, source-only if it is another, and both domains in the plane."""
    main, *others = report["methods"]
    maps, names = report["maps"], (report["domains"]["source"], report["domains"]["target"])
    is_target, y = np.array(maps["is_target"]), np.array(maps["y"])
    figures: dict[str, list[str]] = {}
    for one in maps["views"]:
        drawn = domain_map(np.array(one["places"]), is_target, y, names, one["view"])
        figures.setdefault(one["features"], []).append(drawn)
    return {"main": main, "reference": others[0] if others else None, "figures": figures}
