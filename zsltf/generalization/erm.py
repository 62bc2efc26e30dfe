"""ERM: the mean loss over domains; what every generalisation method has to beat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.training.descent import Descent
from zsltf.training.several_sources import generalizable, mean_risk, train_on_sources

__all__ = ["ERM"]


@dataclass(frozen=True, kw_only=True)
class ERM:
    """Empirical risk minimisation on batches of equal size from every domain.

    Source: Vapnik, "Statistical learning theory", 1998; as a baseline, Gulrajani & Lopez-Paz, "In search of
        lost domain generalization", ICLR 2021.
    """

    descent: Descent = field(default_factory=lambda: Descent(epochs=10))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {}

    def fit(self, domains: Domains, classes: ClassTable, *, network: keras.Model | None = None) -> Classifier:
        """Train on all domains; see GeneralizationMethod."""
        model = generalizable("ERM", domains, classes, network, self.descent)
        train_on_sources(model, mean_risk(model), self.descent, domains)
        return model.classifier(domains.pooled)
