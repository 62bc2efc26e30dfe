"""Class-normalised MLP: a network from attributes to features whose hidden units are standardised across classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
from keras import layers

from zsltf.checks import check_positive
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity
from zsltf.layers.class_normalization import By, ClassNormalization
from zsltf.similarities.cosine import Cosine
from zsltf.training.compatibility import CompatibilityMethod, Parts, glorot
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation

__all__ = ["ClassNormalizedMLP"]


@dataclass(frozen=True, kw_only=True)
class ClassNormalizedMLP(CompatibilityMethod):
    """Attributes to a class vector among the features by three layers; scores are scaled cosines.

    Source: Skorokhodov & Elhoseiny, "Class normalization for (continual)? generalized zero-shot learning", ICLR 2021.
    """

    hidden: int = 1024
    """Units of either hidden layer."""
    scale: float = 25.0
    """Of the cosine, > 0."""
    normalize: bool = True
    """Standardise across classes; without it and its initial weights this is a plain network."""
    by: By = "deviation"
    """What is divided by; `variance` is what the authors' published code does."""
    descent: Descent = field(
        default_factory=lambda: Descent(learning_rate=5e-4, penalty=1e-4, epochs=50, drop_after=25, batch_size=256)
    )

    PREPARATIONS: ClassVar[Sequence[Preparation]] = (
        Preparation(semantics="sqrt"),
        Preparation(centre=True, components=256, unit_norm=True, semantics="sqrt"),
    )
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {
        "descent": descents((5e-4, 2e-3), (1e-4,), (10, 25, 50), Descent(drop_after=25, batch_size=256))
    }

    def __post_init__(self) -> None:
        check_positive("ClassNormalizedMLP", hidden=self.hidden, scale=self.scale)

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = x, B = network(S); the last layer is rectified where no training feature is negative."""
        train.check_vectors("ClassNormalizedMLP")
        width = train.x.shape[1]
        norms = [ClassNormalization(by=self.by) if self.normalize else layers.Identity() for _ in range(2)]
        starts = [glorot(self.descent, layer) for layer in range(3)]
        if self.normalize:  # class vectors begin with a length of about 1
            bound = (3 / (self.hidden * width)) ** 0.5
            starts[2] = keras.initializers.RandomUniform(-bound, bound, starts[2].seed)
        project = [
            layers.Dense(self.hidden, "relu", kernel_initializer=starts[0]),
            layers.Dense(self.hidden, kernel_initializer=starts[1]),
            norms[0],
            layers.ReLU(),
            norms[1],
            layers.Dense(width, "relu" if train.x.min() >= 0 else None, kernel_initializer=starts[2]),
        ]
        return Parts(
            embed=identity(width),
            project=keras.Sequential([keras.Input((len(classes.columns),)), *project], name="project"),
            similarity=Cosine(scale=self.scale, name="cosine"),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
