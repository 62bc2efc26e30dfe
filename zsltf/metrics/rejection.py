"""None of these: a threshold on an image's best score, and how well that score tells strangers from known classes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Float
from sklearn.metrics import roc_auc_score

from zsltf.checks import check_share

__all__ = ["EACH_LEFT_OUT", "OpenSet", "best_without_own", "rejection_threshold"]

EACH_LEFT_OUT = "each test image once more, its own class left out of the table, though training knew it"
"""Strangers where there are no others: truly new classes are harder to tell."""


def rejection_threshold(best: Float[np.ndarray, " N"], share: float) -> float:
    """The highest of these scores below which at most this share of them lies.

    Source: Vaze, Han, Vedaldi & Zisserman, "Open-set recognition: a good closed-set classifier is all you need?", ICLR
    2022 (the best logit, rather than its probability).

    Args:
        best: best logit of each held-out image of known classes.
        share: that may be rejected, from 0 to 1.

    Raises:
        ValueError: if the share is none.
    """
    check_share("rejection_threshold", false_rejections=share)
    return float(np.sort(best)[int(share * len(best))])


def best_without_own(scores: Float[np.ndarray, "N C"], own: Bool[np.ndarray, "N C"]) -> Float[np.ndarray, " N"]:
    """Best score of each image among the classes that it is not of, as if its own were not in the table.

    Args:
        scores: logits.
        own: which classes each image is of.
    """
    return np.where(own, -np.inf, scores).max(axis=1)


@dataclass(frozen=True, kw_only=True)
class OpenSet:
    """What a threshold does on test images of known classes and of strangers."""

    threshold: float
    """Of the best score."""
    allowed: float
    """Share of held-out known images that the threshold was chosen to reject, at most."""
    rejected: float
    """Share of known test images that it rejects."""
    accepted: float
    """Share of strangers' images that it lets pass."""
    auroc: float
    """Chance that a known image's best score is higher than a stranger's; 0.5 is blind."""
    strangers: str
    """Whose images those are."""

    @classmethod
    def of(
        cls,
        known: Float[np.ndarray, " N"],
        foreign: Float[np.ndarray, " M"],
        *,
        threshold: float,
        allowed: float,
        strangers: str,
    ) -> Self:
        """From best scores of test images.

        Args:
            known: of known classes.
            foreign: of strangers.
            threshold: see the fields; likewise the others.
        """
        labels = np.repeat([1, 0], (len(known), len(foreign)))
        return cls(
            threshold=threshold,
            allowed=allowed,
            rejected=float((known < threshold).mean()),
            accepted=float((foreign >= threshold).mean()),
            auroc=float(roc_auc_score(labels, np.concatenate([known, foreign]))),
            strangers=strangers,
        )
