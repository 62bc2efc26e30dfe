"""Softmax compatibility: cross-entropy over the cosines of an image's and the classes' attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
from keras import layers

from zsltf.checks import check_positive
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.learned_cosine import LearnedCosine
from zsltf.similarities.cosine import Cosine
from zsltf.training.compatibility import CompatibilityMethod, Parts, glorot
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["Softmax"]


@dataclass(frozen=True, kw_only=True)
class Softmax(CompatibilityMethod):
    """A linear map from features to attributes, whose cosine with a class's, times a trained scale, is its score.

    Source: Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021, whose
    loss and scale these are, with classes in place of captions.
    """

    initial_scale: float = 1 / 0.07
    """The scale that training begins with, in (0, 100]."""
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=1e-2))

    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((1e-3, 1e-2), (1e-5, 1e-3), (3, 10, 30))}

    def __post_init__(self) -> None:
        check_positive("Softmax", initial_scale=self.initial_scale)

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = x W, B = S."""
        train.check_vectors("Softmax")
        to_attributes = layers.Dense(len(classes.columns), use_bias=False, kernel_initializer=glorot(self.descent))
        return Parts(
            embed=keras.Sequential([keras.Input((train.x.shape[1],)), to_attributes], name="embed"),
            project=None,
            similarity=LearnedCosine(self.initial_scale),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            finish=lambda learned: Cosine(scale=learned.scale, name="cosine"),
        )
