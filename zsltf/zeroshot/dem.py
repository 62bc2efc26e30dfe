"""DEM: a network from attributes to where the class's features lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from keras import layers

from zsltf.checks import check_positive
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.centre import centring
from zsltf.losses.own_score import OwnScore
from zsltf.similarities.distance import Distance
from zsltf.training.compatibility import CompatibilityMethod, Parts, glorot
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import WHITENED

__all__ = ["DEM"]


@dataclass(frozen=True, kw_only=True)
class DEM(CompatibilityMethod):
    """Two layers from attributes to features, trained by squared distance; the nearest class wins.

    Source: Zhang, Xiang & Gong, "Learning a deep embedding model for zero-shot learning", CVPR 2017.
    """

    hidden: int = 512
    """Units of the hidden layer, >= 1; the paper's has 1600 for 2048 features."""
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=1e-3))

    PREPARATIONS: ClassVar[Sequence[Preparation]] = WHITENED
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((1e-3,), (1e-4, 1e-3, 1e-2), (10, 30, 100))}

    def __post_init__(self) -> None:
        check_positive("DEM", hidden=self.hidden)

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = x, B = network(S), both around the training mean; the last layer is rectified as its features are."""
        train.check_vectors("DEM")
        width, mean = train.x.shape[1], np.average(train.x, axis=0, weights=train.weights)
        starts = [glorot(self.descent, layer) for layer in range(2)]
        project = [
            layers.Dense(self.hidden, "relu", kernel_initializer=starts[0]),
            layers.Dense(width, "relu" if train.x.min() >= 0 else None, kernel_initializer=starts[1]),
            centring(mean),
        ]
        return Parts(
            embed=keras.Sequential([keras.Input((width,)), centring(mean)], name="embed"),
            project=keras.Sequential([keras.Input((len(classes.columns),)), *project], name="project"),
            similarity=Distance(name="distance"),
            loss=OwnScore(),
        )
