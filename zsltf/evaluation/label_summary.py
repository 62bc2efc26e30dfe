"""Label efficiency over seeds: means, paired gains, and in words where pretraining did not help."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from zsltf.evaluation.label_efficiency import RAW, SCRATCH
from zsltf.metrics.intervals import class_interval, paired_interval

__all__ = ["Verdict", "label_means", "label_sentences", "verdict"]

Verdict = Literal["helps", "hurts", "not shown"]
_REFERENCES = {"scratch": SCRATCH, "raw": RAW}


def label_means(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a method, use and share, over seeds.

    Args:
        rows: of `run_label_efficiency`.

    Returns:
        Accuracy with Student's 95 % interval; and for `scratch` and `raw` the mean gain over that reference under the
        same seeds and labels, its paired interval and verdict, None for references themselves.
    """
    table = {(row["method"], row["use"], row["share"], row["seed"]): row for row in rows}
    found = []
    for method, use, share in dict.fromkeys((row["method"], row["use"], row["share"]) for row in rows):
        own = [row for row in rows if (row["method"], row["use"], row["share"]) == (method, use, share)]
        accuracies = np.array([row["accuracy"] for row in own])
        told: dict[str, Any] = {"method": method, "use": use, "share": share, "labels": own[0]["labels"]}
        told |= {"accuracy": float(accuracies.mean()), "interval": list(class_interval(accuracies))}
        told["by_seed"] = accuracies.tolist()
        for key, reference in _REFERENCES.items():
            told[key] = None if method in _REFERENCES.values() else _gain(own, table, reference)
        found.append(told)
    return found


def verdict(interval: Sequence[float], pairs: int) -> Verdict:
    """Of a gain's interval: it helps or hurts where 0 is outside; else, and of fewer than 3 pairs, it may be chance."""
    if pairs < 3:
        return "not shown"
    if interval[0] > 0:
        return "helps"
    return "hurts" if interval[1] < 0 else "not shown"


def label_sentences(means: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each method and use, at which shares of the labels it beats the references, and at which not."""
    told = []
    for method, use in dict.fromkeys((row["method"], row["use"]) for row in means if row["scratch"]):
        own = [row for row in means if (row["method"], row["use"]) == (method, use)]
        for key, reference in _REFERENCES.items():
            parts = [_at(own, key, kind) for kind in ("helps", "hurts", "not shown")]
            told.append(f"{method}, {use}, against {reference}: {'; '.join(part for part in parts if part)}")
    return told


def _gain(
    own: Sequence[Mapping[str, Any]], table: Mapping[tuple[str, str, float, int], Mapping[str, Any]], reference: str
) -> dict[str, Any] | None:
    """Over a reference, of which there is one use."""
    uses = [key[1] for key in table if key[0] == reference]
    pairs = [(row, table.get((reference, uses[0], row["share"], row["seed"]))) for row in own] if uses else []
    both = np.array([(row["accuracy"], other["accuracy"]) for row, other in pairs if other is not None])
    if not len(both):
        return None
    interval = paired_interval(both[:, 0], both[:, 1])
    gain = float((both[:, 0] - both[:, 1]).mean())
    return {"gain": gain, "interval": list(interval), "verdict": verdict(interval, len(both))}


_WORDS = {"helps": "helps", "hurts": "hurts (negative transfer)", "not shown": "no difference shown"}


def _at(rows: Sequence[Mapping[str, Any]], key: str, kind: Verdict) -> str:
    found = [row for row in rows if row[key] and row[key]["verdict"] == kind]
    gains = (f"{100 * row['share']:g} % of labels ({100 * row[key]['gain']:+.1f} points)" for row in found)
    return f"{_WORDS[kind]} at {', '.join(gains)}" if found else ""
