"""Whether a probability of 0.8 is right 8 times in 10."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from zsltf.checks import fail

__all__ = ["Reliability", "brier_score", "negative_log_likelihood", "reliability"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """What was claimed and what came true, by bins of equal width between 0 and 1."""

    confidence: Float[np.ndarray, " bins"]
    """Mean probability claimed in each bin; NaN in an empty one."""
    accuracy: Float[np.ndarray, " bins"]
    """Share of a bin's claims that are true; NaN in an empty one."""
    count: Int[np.ndarray, " bins"]
    """Claims in each bin."""

    @property
    def expected_error(self) -> float:
        """ECE: |accuracy - confidence|, averaged over claims.

        Source: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017.
        """
        gaps = np.nan_to_num(np.abs(self.accuracy - self.confidence))
        return float(gaps @ self.count / self.count.sum())


def reliability(claimed: Float[np.ndarray, " M"], true: Bool[np.ndarray, " M"], bins: int = 15) -> Reliability:
    """The reliability curve.

    Source: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017.

    Args:
        claimed: probabilities in [0, 1]: of each image's answer, or of each label of each image.
        true: whether the claim holds.
        bins: how many, of equal width; a probability on an edge belongs to the bin above.

    Raises:
        ValueError: if a probability is outside [0, 1], or there is no bin.
    """
    if bins < 1:
        fail("bins", "1 or more", str(bins), "Start from the default.")
    if not ((claimed >= 0) & (claimed <= 1)).all():
        worst = claimed[np.argmax(~((claimed >= 0) & (claimed <= 1)))]
        fail("probabilities", "numbers in [0, 1]", f"{worst:g}", "Give probabilities, not scores.")
    at = np.minimum((claimed * bins).astype(int), bins - 1)
    count = np.bincount(at, minlength=bins)

    def mean(values: np.ndarray) -> np.ndarray:
        total = np.bincount(at, weights=values, minlength=bins)
        return np.divide(total, count, out=np.full(bins, np.nan), where=count > 0)

    return Reliability(confidence=mean(claimed), accuracy=mean(true), count=count)


def negative_log_likelihood(
    log_probabilities: Float[np.ndarray, "N C"], y: Int[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Of each image, -log of its true class's probability, in nats."""
    return -log_probabilities[np.arange(len(y)), y]


def brier_score(probabilities: Float[np.ndarray, "N C"], truth: Float[np.ndarray, "N C"]) -> float:
    """Squared distance of the probabilities from the truth, summed over classes: 0 at best, 2 with one class an image.

    Source: Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 1950.
    """
    return float(np.square(probabilities - truth).sum(axis=1).mean())
