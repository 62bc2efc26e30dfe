"""Weighted class means."""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["class_means"]


def class_means(
    x: Float[np.ndarray, "N D"], y: Int[np.ndarray, " N"], weights: Float[np.ndarray, " N"], num_classes: int
) -> Float[np.ndarray, "C D"]:
    """Mean of each class's rows in float64; NaN for a class without weight."""
    indicator = np.zeros((num_classes, len(y)))
    indicator[y, np.arange(len(y))] = weights
    total = indicator.sum(axis=1, keepdims=True)
    return np.divide(indicator @ x, total, out=np.full((num_classes, x.shape[1]), np.nan), where=total > 0)
