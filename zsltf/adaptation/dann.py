"""DANN: features that a domain classifier can't tell apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import check_not_negative, check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.training.alignment import adaptable, train_aligned
from zsltf.training.descent import Descent
from zsltf.training.domain_classifier import DomainClassifier

__all__ = ["DANN"]


@dataclass(frozen=True, kw_only=True)
class DANN:
    """A feature extractor that its label predictor descends with and a domain classifier's reversed gradient leads.

    Source: Ganin et al., "Domain-adversarial training of neural networks", JMLR 2016.
    """

    weight: float = 1.0
    """Of the domain classifier's loss, >= 0; 0 is training on the source alone."""
    units: tuple[int, ...] = (128, 128)
    """Of the domain classifier's hidden layers."""
    steepness: float = 10.0
    """How fast the reversal comes to its full strength, > 0."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=4))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"weight": (0.1, 0.3, 1.0)}

    def __post_init__(self) -> None:
        check_not_negative("DANN", weight=self.weight)
        check_positive("DANN", steepness=self.steepness)

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Train on both domains; see AdaptationMethod. The domain classifier is left behind."""
        model = adaptable("DANN", source, target, classes, network, self.descent)
        adversary = DomainClassifier(model.width, self.units, self.descent, steepness=self.steepness)

        def confusion(a: Any, _: Any, b: Any, __: Any, progress: Any) -> Any:
            return adversary(a, b, progress)

        train_aligned(model, confusion, self.weight, self.descent, source, target, layer=adversary)
        return model.classifier(source)
