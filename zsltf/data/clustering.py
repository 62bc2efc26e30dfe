"""Clustering: which examples belong together."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from zsltf.checks import fail
from zsltf.data.unlabelled import Unlabelled, check_unlabelled

__all__ = ["Clustering", "check_clusterable"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Clustering:
    """A cluster for each of N examples.

    Raises:
        ValueError: if a cluster is none of them.
    """

    assignment: Int[np.ndarray, " N"]
    """Clusters from 0 on."""
    clusters: int
    """How many were asked for; some may be empty."""
    objective: tuple[float, ...]
    """What was made small, from the start to the end of the best of all restarts."""

    def __post_init__(self) -> None:
        if self.assignment.min() < 0 or self.assignment.max() >= self.clusters:
            received = f"{self.assignment.min()} to {self.assignment.max()}"
            fail("Clustering.assignment", f"numbers from 0 to {self.clusters - 1}", received, "Number the clusters.")


def check_clusterable(method: str, target: Unlabelled, auxiliary: Unlabelled, clusters: int) -> None:
    """Refuse labels, maps, vectors of different widths, and fewer examples than clusters."""
    if not isinstance(auxiliary, Unlabelled):
        fix = "Clustering looks at no labels: give features.unlabelled()."
        fail(f"{method}, auxiliary", "Unlabelled examples", type(auxiliary).__name__, fix)
    check_unlabelled(method, target, auxiliary.x)
    if target.x.ndim != 2:
        fail(method, "vectors (N, D)", f"maps {target.x.shape}", "Average them: x.mean(axis=(1, 2)).")
    if not 2 <= clusters <= len(target):
        fail(f"{method}, clusters", f"2 to {len(target)}", str(clusters), "Ask for fewer, or give more examples.")
