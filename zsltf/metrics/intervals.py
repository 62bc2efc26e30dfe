"""How sure a mean over classes is: classes are what was sampled, not images."""

import numpy as np
from jaxtyping import Float
from scipy.stats import bootstrap

__all__ = ["class_interval", "paired_interval"]


def class_interval(
    per_class: Float[np.ndarray, " C"], *, level: float = 0.95, samples: int = 9999, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of the mean accuracy, drawing classes.

    Source: Efron & Tibshirani, "An introduction to the bootstrap", 1993 (percentiles).

    Args:
        per_class: accuracy of each class; NaN for a class without images is left out.
        level: of the interval.
        samples: that are drawn.
        seed: of the draws.

    Returns:
        Low and high; with a single class, its accuracy twice.
    """
    known = np.asarray(per_class)[~np.isnan(per_class)]
    if len(known) < 2 or not np.ptp(known):
        return float(known.mean()), float(known.mean())
    rng = np.random.default_rng(seed)
    found = bootstrap((known,), np.mean, n_resamples=samples, confidence_level=level, method="percentile", rng=rng)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def paired_interval(
    one: Float[np.ndarray, " C"],
    other: Float[np.ndarray, " C"],
    *,
    level: float = 0.95,
    samples: int = 9999,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of one method's mean accuracy minus another's on the same classes: if 0 is outside, they differ.

    Args:
        one: accuracy of each class by the first method.
        other: of the same classes by the second.
        level: of the interval.
        samples: that are drawn.
        seed: of the draws.
    """
    return class_interval(np.asarray(one) - np.asarray(other), level=level, samples=samples, seed=seed)
