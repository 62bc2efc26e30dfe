"""Linear head: softmax regression on the features."""

from dataclasses import dataclass
from typing import Any

import keras

from zsltf.checks import check_share
from zsltf.closed import ClassScores
from zsltf.objectives import OneClass
from zsltf.similarities.dot import Dot

__all__ = ["LinearHead"]


@dataclass(frozen=True, kw_only=True)
class LinearHead:
    """One dense layer under a softmax."""

    dropout: float = 0.0
    """Share of the features dropped in training, in [0, 1)."""

    objective = OneClass()

    def __post_init__(self) -> None:
        check_share("LinearHead", dropout=self.dropout)

    def build(self, features: Any, num_outputs: int, name: str) -> tuple[Any, Any]:
        """Features (B, D) to A (B, D) and scores (B, C)."""
        dropped = keras.layers.Dropout(self.dropout, name=f"{name}_dropout")(features) if self.dropout else features
        return features, ClassScores(num_outputs, Dot(), name=f"{name}_scores")(dropped)
