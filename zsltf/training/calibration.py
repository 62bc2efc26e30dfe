"""Calibrate a zero-shot Classifier on folds of the training data: gamma, temperature, then the rejection threshold."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from zsltf.classifier import Classifier
from zsltf.metrics.rejection import rejection_threshold
from zsltf.metrics.zero_shot import harmonic_mean, seen_unseen_curve
from zsltf.training.folds import Fold
from zsltf.training.selection import Choice, fit_prepared

__all__ = ["calibrated"]


def calibrated(
    classifier: Classifier, choice: Choice, folds: Iterable[Fold], *, false_rejections: float = 0.05
) -> Classifier:
    """Set gamma to the best mean harmonic mean over the folds, the scale to the best likelihood, and `reject_below`.

    Source: Chao et al. 2016 (calibrated stacking); Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural
    networks", ICML 2017 (temperature).

    Args:
        classifier: fitted on all of the training data.
        choice: how it was fitted, and how it is on each fold.
        folds: of the training data.
        false_rejections: share of the folds' images that may be taken for none of the classes.
    """
    scored = [
        (fit_prepared(choice.method, choice.preparation, fold.train, fold.classes).score(fold.validation.x), fold)
        for fold in folds
    ]
    gamma = _best_gamma(scored)
    shifted = [(scores - gamma * fold.classes.seen, fold.y) for scores, fold in scored]
    scale = _best_scale(shifted)
    best = scale * np.concatenate([scores.max(axis=1) for scores, _ in shifted])
    threshold = rejection_threshold(best, false_rejections)
    return classifier.calibrate(gamma=gamma, scale=scale).rejecting(threshold)


def _best_gamma(scored: Sequence[tuple[Float[np.ndarray, "N C"], Fold]]) -> float:
    curves = [seen_unseen_curve(scores, fold.y, fold.classes.seen) for scores, fold in scored]
    thresholds = np.unique(np.concatenate([curve.thresholds for curve in curves]))
    gammas = (thresholds[1:] + thresholds[:-1]) / 2 if len(thresholds) > 1 else thresholds
    mean = np.mean([harmonic_mean(*curve.at(gammas)) for curve in curves], axis=0)
    best = gammas[mean == mean.max()]
    return float(best[len(best) // 2])


def _best_scale(scored: Sequence[tuple[Float[np.ndarray, "N C"], np.ndarray]]) -> float:
    def loss(log_scale: float) -> float:
        likelihood = [log_softmax(np.exp(log_scale) * s, axis=1)[np.arange(len(y)), y].mean() for s, y in scored]
        return -float(np.mean(likelihood))

    spread = float(np.mean([s.std(axis=1).mean() for s, _ in scored]))
    if not spread:
        return 1.0
    bounds = (-8 - np.log(spread), 8 - np.log(spread))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
