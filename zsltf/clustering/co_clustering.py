"""Self-taught clustering: target and auxiliary examples are clustered together with the features that they share."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from sklearn.cluster import KMeans

from zsltf.checks import check_not_negative, check_positive, check_seed, fail
from zsltf.data.clustering import Clustering, check_clusterable
from zsltf.data.unlabelled import Unlabelled
from zsltf.solvers.co_clusters import CoClusters, co_cluster

__all__ = ["CoClustering"]


@dataclass(frozen=True, kw_only=True)
class CoClustering:
    """Clusters of examples and of features that keep the most information, the features' being those of both sets.

    Source: Dai, Yang, Xue & Yu, "Self-taught clustering", ICML 2008.
    """

    weight: float = 1.0
    """Of the auxiliary examples' information, >= 0; at 0 they tell nothing."""
    auxiliary_clusters: int | None = None
    """Of the auxiliary examples; by default as many as of the target's."""
    feature_clusters: int = 64
    """Of the features, >= 1; at most as many as there are features."""
    rounds: int = 50
    """At most, >= 1."""
    restarts: int = 5
    """Of which the one that loses the least information is kept, >= 1."""
    seed: int = 0
    """Of the starts."""

    def __post_init__(self) -> None:
        check_not_negative("CoClustering", weight=self.weight)
        check_seed("CoClustering", self.seed)
        check_positive("CoClustering", feature_clusters=self.feature_clusters, rounds=self.rounds)
        check_positive("CoClustering", restarts=self.restarts, auxiliary_clusters=self.auxiliary_clusters or 1)

    def cluster(self, target: Unlabelled, *, auxiliary: Unlabelled, clusters: int) -> Clustering:
        """Start from k-means of each set and of the features, and go on by turns; see ClusteringMethod.

        Raises:
            ValueError: also if a number is negative, or an example is all 0.
        """
        check_clusterable("CoClustering", target, auxiliary, clusters)
        joints = _joint(target, "target"), _joint(auxiliary, "auxiliary")
        own = min(self.auxiliary_clusters or clusters, len(auxiliary))
        counts = clusters, own, min(self.feature_clusters, target.x.shape[1])
        seeds = np.random.default_rng(self.seed).integers(2**31, size=self.restarts)
        every = [
            co_cluster(joints, _starts(joints, counts, self.weight, int(seed)), counts, self.weight, rounds=self.rounds)
            for seed in seeds
        ]
        best: CoClusters = min(every, key=lambda found: found.objective[-1])
        return Clustering(assignment=best.target, clusters=clusters, objective=best.objective)


def _joint(examples: Unlabelled, what: str) -> Float[np.ndarray, "N F"]:
    """The numbers as a distribution over examples and features."""
    x = np.asarray(examples.x, np.float64)
    if x.min() < 0:
        fix = "Take what is not negative: features behind a ReLU, or counts."
        fail(f"CoClustering, {what}", "numbers >= 0", f"{x.min():g}", fix)
    empty = np.flatnonzero(x.sum(axis=1) == 0)
    if len(empty):
        fail(f"CoClustering, {what}", "a number > 0 in each example", f"none in number {empty[0]}", "Leave it out.")
    return x / x.sum()


def _starts(
    joints: tuple[np.ndarray, np.ndarray], counts: tuple[int, int, int], weight: float, seed: int
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " M"], Int[np.ndarray, " F"]]:
    """By k-means of the roots of shares, whose distance is Hellinger's: rows by features, and features by rows."""
    profiles = [np.sqrt(joint / joint.sum(axis=1, keepdims=True)) for joint in joints]
    both = np.sqrt(np.concatenate([joints[0], weight * joints[1]]).T)
    profiles.append(both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-12))
    first, second, third = (
        KMeans(count, n_init=1, random_state=seed).fit_predict(x).astype(int)
        for count, x in zip(counts, profiles, strict=True)
    )
    return first, second, third
