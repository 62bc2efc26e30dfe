"""Co-clusters of two sets of non-negative vectors that share the clusters of their features."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

__all__ = ["CoClusters", "co_cluster", "information_lost"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CoClusters:
    """Clusters of target rows, auxiliary rows and features, and the objective after every round."""

    target: Int[np.ndarray, " N"]
    auxiliary: Int[np.ndarray, " M"]
    features: Int[np.ndarray, " F"]
    objective: tuple[float, ...]


def co_cluster(
    joints: tuple[Float[np.ndarray, "N F"], Float[np.ndarray, "M F"]],
    starts: tuple[Int[np.ndarray, " N"], Int[np.ndarray, " M"], Int[np.ndarray, " F"]],
    counts: tuple[int, int, int],
    weight: float,
    *,
    rounds: int,
) -> CoClusters:
    """Reassign rows and features by turns; each turn makes the information that is lost smaller, or leaves it.

    Source: Dai, Yang, Xue & Yu, "Self-taught clustering", ICML 2008.

    Args:
        joints: p(x, z) of target and q(y, z) of auxiliary rows and features, each of sum 1, rows of mass > 0.
        starts: clusters at first, of target rows, auxiliary rows and features.
        counts: clusters of each, empty ones included.
        weight: of the auxiliary rows' information, >= 0.
        rounds: at most; it ends where nothing changes.
    """
    rows, features = [starts[0], starts[1]], starts[2]
    weights = (1.0, weight)

    def lost() -> float:
        return sum(
            w * information_lost(p, r, features, (k, counts[2]))
            for w, p, r, k in zip(weights, joints, rows, counts, strict=False)
        )

    history = [lost()]
    for _ in range(rounds):
        before = (*rows, features)
        for i, joint in enumerate(joints):
            rows[i] = _row_clusters(joint, rows[i], features, (counts[i], counts[2]))
        features = _feature_clusters(joints, rows, features, counts, weights)
        history.append(lost())
        if all(np.array_equal(one, other) for one, other in zip(before, (*rows, features), strict=True)):
            break
    return CoClusters(target=rows[0], auxiliary=rows[1], features=features, objective=tuple(history))


def information_lost(
    joint: Float[np.ndarray, "N F"],
    rows: Int[np.ndarray, " N"],
    features: Int[np.ndarray, " F"],
    counts: tuple[int, int],
) -> float:
    """I(X; Z) - I(X~; Z~) in nats: what clusters of rows and features leave out."""
    small = _indicator(rows, counts[0]).T @ joint @ _indicator(features, counts[1])
    return _information(joint) - _information(small)


def _row_clusters(
    joint: Float[np.ndarray, "N F"],
    rows: Int[np.ndarray, " N"],
    features: Int[np.ndarray, " F"],
    counts: tuple[int, int],
) -> Int[np.ndarray, " N"]:
    """argmin over x~ of KL(p(Z|x) || p~(Z|x~)): what does not depend on x~ is left out."""
    shares = joint @ _indicator(features, counts[1])  # p(x, z~)
    small = _indicator(rows, counts[0]).T @ shares
    return _argmax(_gain(shares, small), rows)


def _feature_clusters(
    joints: tuple[np.ndarray, ...],
    rows: list[np.ndarray],
    features: Int[np.ndarray, " F"],
    counts: tuple[int, int, int],
    weights: tuple[float, float],
) -> Int[np.ndarray, " F"]:
    """argmin over z~ of p(z) KL(p(X|z) || p~(X|z~)) + weight q(z) KL(q(Y|z) || q~(Y|z~))."""
    shares = [(_indicator(r, k).T @ p).T for r, k, p in zip(rows, counts, joints, strict=False)]  # p(x~, z)
    smalls = [_indicator(features, counts[2]).T @ share for share in shares]
    gains = [w * _gain(share, small) for w, share, small in zip(weights, shares, smalls, strict=True) if w]
    return _argmax(np.sum(gains, axis=0), features)


def _gain(shares: Float[np.ndarray, "N G"], small: Float[np.ndarray, "K G"]) -> Float[np.ndarray, "N K"]:
    """Sum over g of p(n, g) log p(g | k); minus infinity where k leaves out a g that n has."""
    total = small.sum(axis=1, keepdims=True)
    given = np.divide(small, total, out=np.zeros_like(small), where=total > 0)
    logs = np.log(given, out=np.full_like(given, -1e12), where=given > 0)  # infinity times 0 would be no number
    gain = shares @ logs.T
    return np.where(gain < -1e6, -np.inf, gain)


def _argmax(gain: Float[np.ndarray, "N K"], current: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """The best cluster; the current one where it is as good, so that ties don't go round."""
    best, own = gain.argmax(axis=1), np.arange(len(gain))
    better = gain[own, best] > gain[own, current] + 1e-13
    return np.where(better, best, current)


def _information(joint: Float[np.ndarray, "N F"]) -> float:
    """Mutual information of a joint distribution."""
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    some = joint > 0
    return float((joint[some] * np.log(joint[some] / product[some])).sum())


def _indicator(clusters: Int[np.ndarray, " N"], count: int) -> Float[np.ndarray, "N K"]:
    return np.eye(count)[clusters]
