"""AdaBN: the target under its own batch statistics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.training.alignment import adaptable, train_on_source
from zsltf.training.batch_norm import batch_norm_layers, mixed_batches, recalibrate
from zsltf.training.descent import Descent

__all__ = ["AdaBN"]


@dataclass(frozen=True, kw_only=True)
class AdaBN:
    """BatchNorm normalises the target by the target's own statistics; everything else is the source's.

    Source: Li, Wang, Shi, Hou & Liu, "Adaptive batch normalization for practical domain adaptation", Pattern
        Recognition 2018.
    """

    batch_size: int = 256
    """Target examples at a time when the statistics are measured, >= 2."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=4))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {}

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            fail("AdaBN.batch_size", "2 or more", str(self.batch_size), "Start from the default.")

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Train on the source, then measure the statistics on the target; see AdaptationMethod.

        Raises:
            ValueError: also if the network has no BatchNorm.
        """
        if network is None or not batch_norm_layers(network):
            fail("AdaBN, network", "one with BatchNormalization", "none", "Take DeepCORAL or CORAL instead.")
        model = adaptable("AdaBN", source, target, classes, network, self.descent)
        train_on_source(model, self.descent, source)
        recalibrate(model.network, mixed_batches(target.x, self.batch_size), batch_norm_layers(model.network))
        return model.classifier(source)
