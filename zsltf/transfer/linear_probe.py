"""Linear probe: a softmax head on frozen features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.closed import closed
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.solvers.class_means import class_means

__all__ = ["LinearProbe"]


@dataclass(frozen=True, kw_only=True)
class LinearProbe:
    """Multinomial logistic regression with an L2 penalty, to convergence.

    Source: Alain & Bengio, "Understanding intermediate layers using linear classifier probes", ICLR workshop 2017.
    """

    inverse_penalty: float = 1.0
    """C, the loss's weight against |W|^2 / 2, > 0: smaller is smoother."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {"inverse_penalty": tuple(10.0**k for k in range(-3, 4))}

    def __post_init__(self) -> None:
        check_positive("LinearProbe", inverse_penalty=self.inverse_penalty)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Fit the head; every class needs an example."""
        train.check_vectors("LinearProbe")
        train.check_covers(classes)
        model = LogisticRegression(C=self.inverse_penalty, max_iter=10_000, tol=1e-8)
        model.fit(np.asarray(train.x, np.float64), train.y, sample_weight=train.weights)
        kernel, bias = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
            kernel, bias = np.concatenate([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2
        embed = keras.Sequential([keras.Input((train.x.shape[1],)), keras.layers.Identity()], name="embed")
        means = class_means(train.x, train.y, train.weights, len(classes))
        return closed(embed, kernel, bias, classes, means)
