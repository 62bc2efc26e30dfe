"""LATEM: the best of several bilinear compatibilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
from keras import layers

from zsltf.checks import check_positive
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.losses.ranking import SumHinge
from zsltf.similarities.max_over_maps import MaxOverMaps
from zsltf.training.compatibility import CompatibilityMethod, Parts, glorot
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["LATEM"]


@dataclass(frozen=True, kw_only=True)
class LATEM(CompatibilityMethod):
    """max over maps of x W_k s, so that an image's class outscores every other one by 1.

    Source: Xian, Akata, Sharma, Nguyen, Hein & Schiele, "Latent embeddings for zero-shot classification", CVPR 2016
    (there one violation is drawn, and maps that few images use are pruned).
    """

    maps: int = 2
    """How many, >= 1; with 1 this is DeViSE."""
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=1e-2, epochs=100))

    SUMMABLE: ClassVar[bool] = False
    """`weighted_sum` can't add it to others: the best of several maps is no dot product."""
    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {
        "maps": (2, 4),
        "descent": descents((1e-2, 1e-1), (1e-5, 1e-3), (10, 30, 100)),
    }

    def __post_init__(self) -> None:
        check_positive("LATEM", maps=self.maps)

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = x W_k for each map k, B = S."""
        train.check_vectors("LATEM")
        num_attributes = len(classes.columns)
        to_maps = layers.Dense(self.maps * num_attributes, use_bias=False, kernel_initializer=glorot(self.descent))
        shaped = layers.Reshape((self.maps, num_attributes))
        return Parts(
            embed=keras.Sequential([keras.Input((train.x.shape[1],)), to_maps, shaped], name="embed"),
            project=None,
            similarity=MaxOverMaps(name="max_over_maps"),
            loss=SumHinge(),
        )
