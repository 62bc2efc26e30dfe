"""DAZLE: attributes that attend to places of the feature map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import check_positive
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.attribute_attention import AttributeAttention
from zsltf.similarities.dot import Dot
from zsltf.training.compatibility import CompatibilityMethod, Parts
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["DAZLE"]


@dataclass(frozen=True, kw_only=True)
class DAZLE(CompatibilityMethod):
    """Attribute scores found by attention over the feature map, compared with the class's attributes.

    Pooled features count as maps of one place.

    Source: Huynh & Elhamifar, "Fine-grained generalized zero-shot learning via dense attribute-based attention", CVPR
    2020, with trained attribute vectors in place of word vectors, and without the term that shifts probability to the
    unseen classes: this method does not see their attributes before it is tested.
    """

    width: int = 64
    """Of the attribute vectors, >= 1."""
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=3e-3))

    FEATURE_MAPS: ClassVar[bool] = True
    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((1e-3,), (1e-5, 1e-3), (5, 15, 30))}

    def __post_init__(self) -> None:
        check_positive("DAZLE", width=self.width)

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = attribute scores, B = S."""
        attention = AttributeAttention(len(classes.columns), width=self.width, seed=self.descent.seed)
        return Parts(
            embed=keras.Sequential([keras.Input(train.x.shape[1:]), attention], name="embed"),
            project=None,
            similarity=Dot(name="dot"),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
