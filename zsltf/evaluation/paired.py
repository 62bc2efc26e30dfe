"""Two zero-shot runs on the same split, compared class by class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zsltf.checks import fail
from zsltf.metrics.intervals import paired_interval

__all__ = ["paired"]


def paired(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of each partition that both have, by how much the first run's unseen accuracy is above the other's.

    Source: Efron & Tibshirani, "An introduction to the bootstrap", 1993: classes are drawn in pairs, as
    `paired_interval` does it; if 0 is outside the interval, the two differ.

    Args:
        one: `partition_rows`, or the key "partitions" of a run's report.json.
        other: of the other run.

    Returns:
        A row a partition: its name, the difference and its 95 % interval over the unseen classes.

    Raises:
        ValueError: if no partition is in both, or one has another split or other unseen classes there.
    """
    rows = {row["partition"]: row for row in other}
    both = [(row, rows[row["partition"]]) for row in one if row["partition"] in rows]
    if not both:
        received = f"{', '.join(row['partition'] for row in one)} and {', '.join(rows)}"
        fail("paired", "a partition that both runs have", received, "Run both on the same partitions.")
    for a, b in both:
        if a.get("split") is None or a["split"] != b.get("split"):
            received = f"{a.get('split')} and {b.get('split')} for {a['partition']}"
            fail("paired", "the same split in both runs", received, "Run both on the same photos with the same --seed.")
        if a.get("unseen_classes") != b.get("unseen_classes"):  # the split's hash knows rows, not what they show
            received = f"{_named(a)} and {_named(b)} for {a['partition']}"
            fail("paired", "the same unseen classes in both runs", received, "Run both on the same photos and table.")
    return [{"partition": a["partition"], **_difference(a["per_class"], b["per_class"])} for a, b in both]


def _named(row: Mapping[str, Any]) -> str:
    return ", ".join(row.get("unseen_classes", ())[:5]) or "none"


def _difference(one: Sequence[float | None], other: Sequence[float | None]) -> dict[str, Any]:
    first, second = np.array(one, float), np.array(other, float)  # None becomes NaN
    return {"difference": float(np.nanmean(first - second)), "interval": list(paired_interval(first, second))}
