"""Zero-shot metrics: accuracy among unseen classes, and the whole seen-unseen curve."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from zsltf.metrics.accuracy import mean_class_accuracy

__all__ = ["SeenUnseenCurve", "harmonic_mean", "seen_unseen_curve", "unseen_accuracy"]


def harmonic_mean(seen: np.ndarray | float, unseen: np.ndarray | float) -> np.ndarray:
    """2 S U / (S + U), and 0 where both are 0."""
    seen, unseen = np.asarray(seen, float), np.asarray(unseen, float)
    total = seen + unseen
    return np.divide(2 * seen * unseen, total, out=np.zeros_like(total), where=total > 0)


def unseen_accuracy(scores: Float[np.ndarray, "N C"], y: Int[np.ndarray, " N"], seen: Bool[np.ndarray, " C"]) -> float:
    """Images of unseen classes, told apart among unseen classes only."""
    unseen, rows = np.flatnonzero(~seen), ~seen[y]
    return mean_class_accuracy(y[rows], unseen[scores[np.ix_(rows, unseen)].argmax(axis=1)])


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenUnseenCurve:
    """Accuracy on seen and unseen classes, among all classes, for every gamma taken off the seen scores.

    Between two thresholds nothing changes: `seen[i]`, `unseen[i]` hold for thresholds[i - 1] < gamma < thresholds[i].
    """

    thresholds: Float[np.ndarray, " T"]
    seen: Float[np.ndarray, " T+1"]
    unseen: Float[np.ndarray, " T+1"]

    @property
    def area(self) -> float:
        """AUSUC, the area under seen over unseen accuracy."""
        return float(np.trapezoid(self.seen, self.unseen))

    def at(self, gamma: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Seen and unseen accuracy at gamma; at a threshold the tie goes to the unseen class."""
        interval = np.searchsorted(self.thresholds, gamma, side="right")
        return self.seen[interval], self.unseen[interval]


def seen_unseen_curve(
    scores: Float[np.ndarray, "N C"], y: Int[np.ndarray, " N"], seen: Bool[np.ndarray, " C"]
) -> SeenUnseenCurve:
    """The exact curve in O(N log N).

    Source: Chao, Changpinyo, Gong & Sha, "An empirical study and analysis of generalized zero-shot learning", ECCV
    2016. Each image flips from its best seen to its best unseen class at gamma = the difference of the two scores.
    """
    seen_classes, unseen_classes = np.flatnonzero(seen), np.flatnonzero(~seen)
    best_seen = seen_classes[scores[:, seen_classes].argmax(axis=1)]
    best_unseen = unseen_classes[scores[:, unseen_classes].argmax(axis=1)]
    rows = np.arange(len(y))
    flips = scores[rows, best_seen].astype(np.float64) - scores[rows, best_unseen]
    order = np.argsort(flips, kind="stable")
    share = 1.0 / np.bincount(y, minlength=len(seen))[y]  # of an image in its class
    lost = np.where(best_seen == y, share, 0.0)[order] / len(np.unique(y[seen[y]]))
    gained = np.where(best_unseen == y, share, 0.0)[order] / len(np.unique(y[~seen[y]]))
    thresholds, first = np.unique(flips[order], return_index=True)
    lost, gained = np.add.reduceat(lost, first), np.add.reduceat(gained, first)
    return SeenUnseenCurve(
        thresholds=thresholds,
        seen=np.append(np.cumsum(lost[::-1])[::-1], 0.0),
        unseen=np.append(0.0, np.cumsum(gained)),
    )
