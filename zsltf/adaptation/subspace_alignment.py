"""Subspace alignment: both domains in the target's principal subspace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
from sklearn.linear_model import LogisticRegression

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.closed import closed
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled, check_unlabelled
from zsltf.embeds import linear
from zsltf.solvers.class_means import class_means
from zsltf.solvers.domain_maps import subspaces
from zsltf.solvers.softmax_regression import softmax_regression
from zsltf.training.alignment import adaptable, train_on_source
from zsltf.training.descent import Descent

__all__ = ["SubspaceAlignment"]


@dataclass(frozen=True, kw_only=True)
class SubspaceAlignment:
    """A softmax head on source features whose principal subspace was rotated to the target's.

    With a network, the network is first trained on the source, and its embeddings are the features.

    Source: Fernando, Habrard, Sebban & Tuytelaars, "Unsupervised visual domain adaptation using subspace alignment",
        ICCV 2013.
    """

    size: int = 32
    """Dimensions of the subspaces, >= 1; at most those of the features."""
    inverse_penalty: float = 1.0
    """C of the head, > 0: smaller is smoother."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=4))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"size": (8, 16, 32, 64)}

    def __post_init__(self) -> None:
        check_positive("SubspaceAlignment", size=self.size, inverse_penalty=self.inverse_penalty)

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Map the source's features, and fit the head on them; see AdaptationMethod.

        Raises:
            ValueError: also if there are fewer features than dimensions.
        """
        source = source.counted()
        check_unlabelled("SubspaceAlignment", target, source.x, fewest=2)
        model = adaptable("SubspaceAlignment", source, target, classes, network, self.descent)
        train_on_source(model, self.descent, source)
        if model.width < self.size:
            fail("SubspaceAlignment.size", f"at most {model.width}, the features", str(self.size), "Lower it.")
        mapped, basis, mean = subspaces(model.embed(source.x), model.embed(target.x), self.size)
        regression = LogisticRegression(C=self.inverse_penalty, max_iter=10_000)
        kernel, bias = softmax_regression(regression, mapped, source.y, source.weights)
        project = linear(basis, -mean @ basis, name="subspace")
        embed = keras.Model(model.network.inputs[0], project(model.network.outputs[0]), name="embed")
        return closed(embed, kernel, bias, classes, class_means(mapped, source.y, source.weights, len(classes)))
