"""The benchmark's rows put together: each set's methods, averaged over their seeds."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from zsltf.metrics.intervals import class_interval, paired_interval

__all__ = ["summarise"]

_SET = ("set", "matrix", "split", "data")
_AVERAGED = (
    "validation",
    "unseen_accuracy",
    "new_to_backbone",
    "best_epoch",
    "uncalibrated",
    "calibrated",
    "oracle",
    "area",
    "shuffled",
    "seconds",
)


def summarise(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each set's name, matrix, and hashes of its split and data, and under "methods" a row a method and its options,
    best on the validation classes first.

    Each row has the means over its seeds and, of the unseen accuracy, `sd` (n - 1) and `over_seeds` (95 %, Student's t)
    where there are several; `interval` is over classes, `below` what it falls short of the first row's, paired.
    """
    by_set = defaultdict(list)
    for row in rows:
        by_set[tuple(row[name] for name in _SET)].append(row)
    return [{**dict(zip(_SET, which, strict=True)), "methods": _ranked(group)} for which, group in by_set.items()]


def _ranked(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    means = [_mean(list(group)) for _, group in groupby(sorted(rows, key=_alike), key=_alike)]
    first, *others = sorted(means, key=lambda row: -row["validation"])
    return [first, *({**row, "below": paired_interval(first["per_class"], row["per_class"])} for row in others)]


def _alike(row: Mapping[str, Any]) -> tuple[str, str]:
    """The method, and the options that its row was asked for with, but for the seed and the control's repetitions."""
    asked = {name: value for name, value in row.get("asked", {}).items() if name not in ("seed", "shuffles")}
    return row["method"], json.dumps(asked, sort_keys=True)


def _mean(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    per_class = np.mean([row["per_class"] for row in rows], axis=0)
    reached = [row["unseen_accuracy"] for row in rows]
    return {
        **rows[0],
        **{name: _averaged([row.get(name) for row in rows]) for name in _AVERAGED},
        "runs": len(rows),
        "per_class": per_class,
        "interval": class_interval(per_class),
        "below": None,
        "sd": np.std(reached, ddof=1) if len(rows) > 1 else None,
        "over_seeds": class_interval(np.array(reached)) if len(rows) > 1 else None,
    }


def _averaged(values: Sequence[Any]) -> Any:
    if any(value is None for value in values):
        return None
    if isinstance(values[0], Mapping):
        return {key: _averaged([value[key] for value in values]) for key in values[0]}
    return float(np.mean(values))
