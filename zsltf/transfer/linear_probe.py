"""Linear probe: a softmax head on frozen features."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.closed import closed
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity
from zsltf.solvers.class_means import class_means
from zsltf.solvers.softmax_regression import softmax_regression

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
        """Fit the head; every class must be seen and needs an example."""
        kernel, bias = self.weights(train, classes)
        means = class_means(train.x, train.y, train.weights, len(classes))
        return closed(identity(train.x.shape[1]), kernel, bias, classes, means)

    def weights(self, train: Features, classes: ClassTable) -> tuple[Float[np.ndarray, "C D"], Float[np.ndarray, " C"]]:
        """Kernel and bias of the head on these very features."""
        _check(train, classes)
        model = LogisticRegression(C=self.inverse_penalty, max_iter=10_000, tol=1e-8)
        return softmax_regression(model, train.x, train.y, train.weights)

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple["LinearProbe", Float[np.ndarray, "N C"]]]:
        """Each penalty of the search range with its scores of x; each fit starts from the last, and is less exact."""
        _check(train, classes)
        model = LogisticRegression(max_iter=10_000, tol=1e-6, warm_start=True)
        for value in self.SEARCH["inverse_penalty"]:
            kernel, bias = softmax_regression(model.set_params(C=value), train.x, train.y, train.weights)
            yield replace(self, inverse_penalty=value), x @ kernel.T + bias


def _check(train: Features, classes: ClassTable) -> None:
    train.check_vectors("LinearProbe")
    if not classes.seen.all():
        unseen = classes.names[int(classes.seen.argmin())]
        fail("LinearProbe", "seen classes", f"also {unseen}, an unseen one", "Leave it and its images out.")
    if len(classes) < 2:
        fail("LinearProbe", "two classes or more to tell apart", str(len(classes)), "Add another, or 'other things'.")
    train.check_covers(classes)
