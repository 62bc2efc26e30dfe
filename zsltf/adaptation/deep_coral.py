"""DeepCORAL: embeddings whose covariances agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import check_not_negative
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.losses.covariance_distance import covariance_distance
from zsltf.training.alignment import adaptable, train_aligned
from zsltf.training.descent import Descent

__all__ = ["DeepCORAL"]


@dataclass(frozen=True, kw_only=True)
class DeepCORAL:
    """The distance between the covariances of both domains' embeddings is trained away.

    Source: Sun & Saenko, "Deep CORAL: correlation alignment for deep domain adaptation", ECCV workshops 2016.
    """

    weight: float = 10.0
    """Of the distance, >= 0; 0 is training on the source alone."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=4))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"weight": (1.0, 10.0, 100.0)}

    def __post_init__(self) -> None:
        check_not_negative("DeepCORAL", weight=self.weight)
        if self.weight:
            self.descent.check_compares("DeepCORAL")

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Train on both domains; see AdaptationMethod."""
        model = adaptable("DeepCORAL", source, target, classes, network, self.descent)

        def distance(a: Any, _: Any, b: Any, __: Any, ___: Any) -> Any:
            return covariance_distance(a, b)

        train_aligned(model, distance, self.weight, self.descent, source, target)
        return model.classifier(source)
