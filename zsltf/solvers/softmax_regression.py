"""Multinomial logistic regression."""

import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression

__all__ = ["softmax_regression"]


def softmax_regression(
    model: LogisticRegression,
    x: Float[np.ndarray, "N D"],
    y: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"],
) -> tuple[Float[np.ndarray, "C D"], Float[np.ndarray, " C"]]:
    """Fit scikit-learn's model in float64; return a kernel row and a bias for each class in y, for two classes as well.

    Args:
        model: with its penalty and tolerance.
        x: features.
        y: classes.
        weights: of the examples.
    """
    model.fit(np.asarray(x, np.float64), y, sample_weight=weights)
    kernel, bias = model.coef_, model.intercept_
    if len(kernel) > 1:
        return kernel, bias
    return np.concatenate([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2  # scikit-learn's for two classes
