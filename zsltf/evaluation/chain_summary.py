"""What a chain's stages add: means and intervals over seeds, and differences between stages."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from zsltf.evaluation.zero_to_few_shot import ALONE, ANY_SHOT, STAGES
from zsltf.metrics.intervals import class_interval, paired_interval

__all__ = ["stage_differences", "stage_means"]

Rows = Sequence[Mapping[str, Any]]


def stage_means(rows: Rows) -> list[dict[str, Any]]:
    """A row for each stage, head and number of photos.

    accuracy, known and new are means over domains, draws and seeds; interval is Student's of the seeds' means.
    """
    found = []
    for stage, head, shots in dict.fromkeys((row["stage"], row["head"], row["shots"]) for row in rows):
        own = [r for r in rows if (r["stage"], r["head"], r["shots"]) == (stage, head, shots)]
        by_seed = _means(own, "accuracy", lambda row: row["seed"])
        found.append(
            {
                "stage": stage,
                "head": head,
                "shots": shots,
                **{name: float(np.mean([row[name] for row in own])) for name in ("accuracy", "known", "new")},
                "by_seed": by_seed.tolist(),
                "interval": list(class_interval(by_seed)),
            }
        )
    return found


def stage_differences(rows: Rows) -> list[dict[str, Any]]:
    """By how much each stage is above the one before, the last above the first, and the head above the photos alone.

    The intervals are paired, over pairs of a domain and a draw of classes, whose seeds are averaged: what another
    domain and other classes might have given.
    """
    heads = {stage: (stage, ANY_SHOT) for stage in STAGES}
    pairs = [*itertools.pairwise(STAGES), (STAGES[0], STAGES[-1])]
    steps = [(f"{after}, above {before}", heads[after], heads[before]) for before, after in pairs]
    steps += [(f"{stage}, above {ALONE}", heads[stage], (stage, ALONE)) for stage in (STAGES[0], STAGES[-1])]
    found = []
    for what, after, before in steps:
        for shots in dict.fromkeys(row["shots"] for row in rows):
            pair = [_units(rows, *one, shots) for one in (after, before)]
            if len(pair[0]) and len(pair[1]):
                interval = list(paired_interval(*pair))
                found.append(
                    {
                        "what": what,
                        "shots": shots,
                        "difference": float(np.mean(pair[0] - pair[1])),
                        "interval": interval,
                    }
                )
    return found


def _units(rows: Rows, stage: str, head: str, shots: int) -> Float[np.ndarray, " U"]:
    own = [row for row in rows if (row["stage"], row["head"], row["shots"]) == (stage, head, shots)]
    return _means(own, "accuracy", lambda row: (row["domain"], tuple(row["held_out"])))


def _means(rows: Rows, name: str, key: Callable[[Mapping[str, Any]], Any]) -> Float[np.ndarray, " U"]:
    """Of each group of rows that have the same key."""
    groups: dict[Any, list[float]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row[name])
    return np.array([np.mean(values) for values in groups.values()])
