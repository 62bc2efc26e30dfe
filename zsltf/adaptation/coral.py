"""CORAL: the source's features under the target's covariance, in closed form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
from sklearn.linear_model import LogisticRegression

from zsltf.checks import check_not_negative, check_positive
from zsltf.classifier import Classifier
from zsltf.closed import closed
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled, check_unlabelled
from zsltf.solvers.class_means import class_means
from zsltf.solvers.domain_maps import recoloured
from zsltf.solvers.softmax_regression import softmax_regression
from zsltf.training.alignment import adaptable, train_on_source
from zsltf.training.descent import Descent

__all__ = ["CORAL"]


@dataclass(frozen=True, kw_only=True)
class CORAL:
    """A softmax head on source features that were given the target's mean and covariance.

    With a network, the network is first trained on the source, and its embeddings are the features.

    Source: Sun, Feng & Saenko, "Return of frustratingly easy domain adaptation", AAAI 2016.
    """

    ridge: float = 0.1
    """Added to both covariances, as a share of the target's mean variance, >= 0."""
    inverse_penalty: float = 1.0
    """C of the head, > 0: smaller is smoother."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=4))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"ridge": (0.01, 0.1, 1.0)}

    def __post_init__(self) -> None:
        check_not_negative("CORAL", ridge=self.ridge)
        check_positive("CORAL", inverse_penalty=self.inverse_penalty)

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Map the source's features, and fit the head on them; see AdaptationMethod."""
        source = source.counted()
        check_unlabelled("CORAL", target, source.x, fewest=2)
        model = adaptable("CORAL", source, target, classes, network, self.descent)
        train_on_source(model, self.descent, source)
        mapped = recoloured(model.embed(source.x), model.embed(target.x), self.ridge)
        regression = LogisticRegression(C=self.inverse_penalty, max_iter=10_000)
        kernel, bias = softmax_regression(regression, mapped, source.y, source.weights)
        return closed(model.network, kernel, bias, classes, class_means(mapped, source.y, source.weights, len(classes)))
