"""Accuracy averaged over classes."""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["confusion_matrix", "mean_class_accuracy", "per_class_accuracy"]


def confusion_matrix(y: Int[np.ndarray, " N"], predicted: Int[np.ndarray, " N"], num_classes: int) -> np.ndarray:
    """Counts (C, C): row = true class, column = predicted class."""
    return np.bincount(y * num_classes + predicted, minlength=num_classes**2).reshape(num_classes, num_classes)


def per_class_accuracy(
    y: Int[np.ndarray, " N"], predicted: Int[np.ndarray, " N"], num_classes: int
) -> Float[np.ndarray, " C"]:
    """Share of each class's examples that are right; NaN for a class without examples."""
    right = np.bincount(y[y == predicted], minlength=num_classes)
    total = np.bincount(y, minlength=num_classes)
    return np.divide(right, total, out=np.full(num_classes, np.nan), where=total > 0)


def mean_class_accuracy(y: Int[np.ndarray, " N"], predicted: Int[np.ndarray, " N"]) -> float:
    """Top-1 per class, averaged over the classes that have examples, so that rare classes count alike.

    Source: Xian, Lampert, Schiele & Akata, "Zero-shot learning: a comprehensive evaluation", TPAMI 2019.
    """
    count = int(max(y.max(), predicted.max())) + 1
    return float(np.nanmean(per_class_accuracy(y, predicted, count)))
