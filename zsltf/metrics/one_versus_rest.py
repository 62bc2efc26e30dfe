"""Each class against all others: what accuracy hides of a rare one."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from sklearn.metrics import average_precision_score, roc_auc_score

__all__ = ["average_precision", "one_versus_rest_auroc", "sensitivity", "specificity"]


def one_versus_rest_auroc(scores: Float[np.ndarray, "N C"], truth: Bool[np.ndarray, "N C"]) -> Float[np.ndarray, " C"]:
    """Chance that an image of the class scores higher for it than one of the others; NaN where one side is empty.

    Source: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 2006.

    Args:
        scores: comparable between images: probabilities, not logits of a softmax.
        truth: which classes each image is of.
    """
    return _per_class(roc_auc_score, scores, truth, np.asarray(truth.any(axis=0) & ~truth.all(axis=0)))


def average_precision(scores: Float[np.ndarray, "N C"], truth: Bool[np.ndarray, "N C"]) -> Float[np.ndarray, " C"]:
    """Precision at each true image's rank, averaged; its mean over classes is mAP. NaN without a true image.

    A blind ranking reaches the class's share of the images.

    Args:
        scores: as in one_versus_rest_auroc.
        truth: which classes each image is of.
    """
    return _per_class(average_precision_score, scores, truth, np.asarray(truth.any(axis=0)))


def _per_class(
    metric: Callable[..., float], scores: np.ndarray, truth: np.ndarray, defined: Bool[np.ndarray, " C"]
) -> Float[np.ndarray, " C"]:
    columns = zip(truth.T, scores.T, defined, strict=True)
    return np.array([metric(true, score) if known else np.nan for true, score, known in columns])


def sensitivity(truth: Bool[np.ndarray, "N C"], answers: Bool[np.ndarray, "N C"]) -> Float[np.ndarray, " C"]:
    """Share of a class's images that are found (recall, true positive rate); NaN without one."""
    return _share(truth & answers, truth)


def specificity(truth: Bool[np.ndarray, "N C"], answers: Bool[np.ndarray, "N C"]) -> Float[np.ndarray, " C"]:
    """Share of the other images that aren't taken for the class (true negative rate); NaN without one."""
    return _share(~truth & ~answers, ~truth)


def _share(hits: Bool[np.ndarray, "N C"], of: Bool[np.ndarray, "N C"]) -> Float[np.ndarray, " C"]:
    total = of.sum(axis=0)
    return np.divide(hits.sum(axis=0), total, out=np.full(len(total), np.nan), where=total > 0)
