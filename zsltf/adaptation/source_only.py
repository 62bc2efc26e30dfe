"""Source only: no adaptation; what every adaptation method has to beat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.training.alignment import adaptable, train_on_source
from zsltf.training.descent import Descent

__all__ = ["SourceOnly"]


@dataclass(frozen=True, kw_only=True)
class SourceOnly:
    """A network and its head trained on the source's labels; the target is not looked at.

    Source: the baseline of Ganin et al., "Domain-adversarial training of neural networks", JMLR 2016.
    """

    descent: Descent = field(default_factory=lambda: Descent(epochs=4))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {}

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Train on the source; see AdaptationMethod."""
        model = adaptable("SourceOnly", source, target, classes, network, self.descent)
        return train_on_source(model, self.descent, source).classifier(source)
