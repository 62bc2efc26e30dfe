"""How sure a mean over few units is: classes or partitions are what was sampled, not images."""

import numpy as np
from jaxtyping import Float
from scipy.stats import bootstrap, sem, t

__all__ = ["class_interval", "paired_interval"]

_FEWEST_TO_DRAW = 6
"""Pairs; with fewer the resamples are too much alike to tell how the mean varies."""


def class_interval(per_class: Float[np.ndarray, " C"], *, level: float = 0.95) -> tuple[float, float]:
    """Student's t interval of the mean accuracy, cut to [0, 1]: what other classes (or partitions) might have given.

    Percentiles of a bootstrap are too narrow for few classes: of six, they hold the true mean 87 times in 100.

    Source: Student, "The probable error of a mean", Biometrika 1908.

    Args:
        per_class: accuracy of each class or each partition; NaN for a class without images is left out.
        level: of the interval.

    Returns:
        Low and high; where all are equal, the mean twice; of a single one, 0 and 1: nobody knows how it would vary.
    """
    return _cut(*_student(_known(per_class), level), least=0.0)


def paired_interval(
    one: Float[np.ndarray, " C"],
    other: Float[np.ndarray, " C"],
    *,
    level: float = 0.95,
    samples: int = 9999,
    seed: int = 0,
) -> tuple[float, float]:
    """Paired bootstrap-t interval of one method's mean accuracy minus another's, in [-1, 1]: without 0, they differ.

    Pairs are drawn, and each draw's mean is divided by its own standard error, so that few pairs give a wide interval;
    fewer than six are left to Student's t, and one alone gives -1 and 1.

    Source: Efron & Tibshirani, "An introduction to the bootstrap", 1993, section 12.5 (the bootstrap-t interval).

    Args:
        one: accuracy of each class by the first method; or of each partition or image, which then is what was sampled.
        other: of the same ones by the second.
        level: of the interval.
        samples: that are drawn.
        seed: of the draws.
    """
    known = _known(np.asarray(one) - np.asarray(other))
    if len(known) < _FEWEST_TO_DRAW or not np.ptp(known):
        return _cut(*_student(known, level), least=-1.0)
    mean, error = known.mean(), sem(known)

    def studentised(drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        spread = drawn.std(axis=axis, ddof=1) / np.sqrt(len(known))  # 0 where the same difference was drawn each time
        return (drawn.mean(axis=axis) - mean) / np.where(spread > 1e-9 * error, spread, error)

    rng = np.random.default_rng(seed)
    found = bootstrap(
        (known,), studentised, n_resamples=samples, batch=100, confidence_level=level, method="percentile", rng=rng
    )
    low, high = found.confidence_interval
    return _cut(mean - high * error, mean - low * error, least=-1.0)


def _known(values: Float[np.ndarray, " C"]) -> Float[np.ndarray, " K"]:
    values = np.asarray(values, float)
    return values[~np.isnan(values)]


def _student(values: Float[np.ndarray, " K"], level: float) -> tuple[float, float]:
    if len(values) == 1:
        return -np.inf, np.inf
    if not len(values) or not np.ptp(values):
        return float(values.mean()), float(values.mean())
    low, high = t.interval(level, len(values) - 1, loc=values.mean(), scale=sem(values))
    return float(low), float(high)


def _cut(low: float, high: float, least: float) -> tuple[float, float]:
    return max(float(low), least), min(float(high), 1.0)
