"""The page of a clustering: figures over seeds, and photos of every cluster."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from zsltf.data.images import Images
from zsltf.reports.classification import thumbnail
from zsltf.reports.html import jpeg_uri, write_page

__all__ = ["write_clustering_page"]

_PICTURES = 6
"""Of a cluster: the first, the last, and others evenly between."""


def write_clustering_page(path: Path, report: Mapping[str, Any], y: Int[np.ndarray, " N"], images: Images) -> Path:
    """Write the page of report.json.

    Args:
        path: a .html to write.
        report: of `write_clustering`; the clusters shown are those of its first row.
        y: class of each image that was clustered.
        images: these, and maybe others.
    """
    first, number = report["rows"][0], {name: row for row, name in enumerate(images.names)}
    rows = np.array([number[name] for name in report["images"]])
    assignment, clusters = np.array(first["assignment"]), []
    for cluster in np.unique(assignment):
        own = np.flatnonzero(assignment == cluster)
        labels, counts = np.unique(y[own], return_counts=True)
        shown = own[np.unique(np.linspace(0, len(own) - 1, _PICTURES).round().astype(int))]
        clusters.append(
            {
                "size": len(own),
                "name": report["classes"][labels[counts.argmax()]],
                "count": int(counts.max()),
                "samples": [
                    {"source": images.names[row], "picture": jpeg_uri(thumbnail(images, row))} for row in rows[shown]
                ],
            }
        )
    clusters.sort(key=lambda cluster: -cluster["size"])
    return write_page(path, "clustering", {**report, "title": f"{first['method']}, clusters", "clusters": clusters})
