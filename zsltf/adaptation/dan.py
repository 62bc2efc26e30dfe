"""DAN: embeddings whose distributions agree, by their maximum mean discrepancy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import check_not_negative
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.losses.mean_discrepancy import mean_discrepancy
from zsltf.training.alignment import adaptable, train_aligned
from zsltf.training.descent import Descent

__all__ = ["DAN"]


@dataclass(frozen=True, kw_only=True)
class DAN:
    """The maximum mean discrepancy of both domains' embeddings is trained away.

    Source: Long, Cao, Wang & Jordan, "Learning transferable features with deep adaptation networks", ICML 2015.
    """

    weight: float = 1.0
    """Of the discrepancy, >= 0; 0 is training on the source alone."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=4))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"weight": (0.1, 1.0, 10.0)}

    def __post_init__(self) -> None:
        check_not_negative("DAN", weight=self.weight)
        if self.weight:
            self.descent.check_compares("DAN")

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Train on both domains; see AdaptationMethod."""
        model = adaptable("DAN", source, target, classes, network, self.descent)

        def discrepancy(a: Any, _: Any, b: Any, __: Any, ___: Any) -> Any:
            return mean_discrepancy(a, b)

        train_aligned(model, discrepancy, self.weight, self.descent, source, target)
        return model.classifier(source)
