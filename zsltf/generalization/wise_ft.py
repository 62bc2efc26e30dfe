"""WiSE-FT: between the pretrained network under a trained head, and the same fine-tuned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.training.descent import Descent
from zsltf.training.several_sources import averaged, generalizable, mean_risk, train_on_sources

__all__ = ["WiSEFT"]


@dataclass(frozen=True, kw_only=True)
class WiSEFT:
    """Weights (1 - share) start + share end: start is the network as it was given, under a head trained on it.

    Source: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022; the head first as in Kumar et al.,
        "Fine-tuning can distort pretrained features and underperform out-of-distribution", ICLR 2022.
    """

    share: float = 0.5
    """Of the fine-tuned weights, in [0, 1]; 1 is ERM behind a trained head."""
    head: Descent = field(default_factory=lambda: Descent(epochs=10))
    """Of the head alone, which comes first."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=10))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"share": (0.3, 0.5, 0.7)}

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            fail("WiSEFT.share", "a share in [0, 1]", f"{self.share:g}", "Start from the default.")

    def fit(self, domains: Domains, classes: ClassTable, *, network: keras.Model | None = None) -> Classifier:
        """Train the head, then all, and stop between the two; see GeneralizationMethod."""
        model = generalizable("WiSEFT", domains, classes, network, self.descent)
        flags = [(layer, layer.trainable) for layer in model.network._flatten_layers()]  # a layer before its own ones
        model.network.trainable = False
        train_on_sources(model, mean_risk(model), self.head, domains)
        for layer, trainable in flags:
            layer.trainable = trainable
        start = [variable.numpy() for variable in model.trainable_variables]
        train_on_sources(model, mean_risk(model), self.descent, domains)
        ends = zip(start, model.trainable_variables, strict=True)
        weights = [(1 - self.share) * first + self.share * last.numpy() for first, last in ends]
        return averaged(model, weights, domains).classifier(domains.pooled)
