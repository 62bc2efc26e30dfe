"""GroupDRO: the worst domains count most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from zsltf.checks import check_not_negative
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.training.descent import Descent
from zsltf.training.headed_network import labelled_loss
from zsltf.training.several_sources import generalizable, mean_risk, train_on_sources

__all__ = ["GroupDRO"]


@dataclass(frozen=True, kw_only=True)
class GroupDRO:
    """Weights of domains grow exponentially with their losses.

    Source: Sagawa, Koh, Hashimoto & Liang, "Distributionally robust neural networks", ICLR 2020.
    """

    rate: float = 0.01
    """Of the weights' growth a step, >= 0; 0 is ERM."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=10))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"rate": (0.001, 0.01, 0.1)}

    def __post_init__(self) -> None:
        check_not_negative("GroupDRO", rate=self.rate)

    def fit(self, domains: Domains, classes: ClassTable, *, network: keras.Model | None = None) -> Classifier:
        """Train on all domains; see GeneralizationMethod."""
        model = generalizable("GroupDRO", domains, classes, network, self.descent)
        if not self.rate:
            train_on_sources(model, mean_risk(model), self.descent, domains)
            return model.classifier(domains.pooled)
        levels = keras.Variable(np.zeros(len(domains.parts), np.float32), trainable=False)

        def risk(batches: Sequence[Any], _: Any) -> Any:
            losses = ops.stack([labelled_loss(model.scores(x)[1], y, weights) for x, y, weights in batches])
            levels.assign_add(self.rate * ops.stop_gradient(losses))
            return ops.sum(ops.softmax(levels.value) * losses)

        train_on_sources(model, risk, self.descent, domains, own=[levels])
        return model.classifier(domains.pooled)
