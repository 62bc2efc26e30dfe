"""How often a criterion that sees no target label picks the better model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zsltf.evaluation.adaptation import AdaptationOutcome, Adapted, picked_better
from zsltf.evaluation.unlabelled_criteria import CRITERIA

__all__ = ["criterion_rows"]


def criterion_rows(outcome: AdaptationOutcome, method: str) -> list[dict[str, Any]]:
    """A row a criterion: its means, and its share of right picks, once of each seed's two models, once of any two.

    Args:
        outcome: of the method and of source-only.
        method: which.
    """
    runs, reference = outcome.runs[method], outcome.runs[outcome.reference]
    both = [*runs, *(reference if method != outcome.reference else ())]
    rows = []
    for name in CRITERIA:
        pairs = [_picked([one, other], name) for one, other in zip(runs, reference, strict=True)]
        means = [float(np.mean([run.criteria[name] for run in of])) for of in (runs, reference)]
        told = {"name": name, "method": means[0], "reference": means[1]}
        rows.append({**told, "same_seed": _mean_of_known(pairs), "any_two": _picked(both, name)})
    return rows


def _picked(runs: Sequence[Adapted], criterion: str) -> float:
    return picked_better([run.criteria[criterion] for run in runs], [run.accuracy for run in runs])


def _mean_of_known(shares: Sequence[float]) -> float:
    """NaN where every pair was equally good."""
    known = [share for share in shares if not np.isnan(share)]
    return float(np.mean(known)) if known else float("nan")
