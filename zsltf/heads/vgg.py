"""VGG head: a hidden layer between the features and the softmax."""

from dataclasses import dataclass
from typing import Any

import keras

from zsltf.checks import check_positive, check_share
from zsltf.closed import ClassScores
from zsltf.objectives import OneClass
from zsltf.similarities.dot import Dot

__all__ = ["VGGHead"]


@dataclass(frozen=True, kw_only=True)
class VGGHead:
    """Dense, ReLU, dropout and softmax on pooled features: the usual head for transfer from VGG16.

    Source: after Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
    whose head has two hidden layers of 4096 on flattened maps.
    """

    units: int = 1024
    """Of the hidden layer."""
    dropout: float = 0.5
    """Share of the hidden units dropped in training, in [0, 1)."""

    objective = OneClass()

    def __post_init__(self) -> None:
        check_positive("VGGHead", units=self.units)
        check_share("VGGHead", dropout=self.dropout)

    def build(self, features: Any, num_outputs: int, name: str) -> tuple[Any, Any]:
        """Features (B, D) to A (B, units) and scores (B, C)."""
        hidden = keras.layers.Dense(self.units, activation="relu", name=f"{name}_hidden")(features)
        dropped = keras.layers.Dropout(self.dropout, name=f"{name}_dropout")(hidden) if self.dropout else hidden
        return hidden, ClassScores(num_outputs, Dot(), name=f"{name}_scores")(dropped)
