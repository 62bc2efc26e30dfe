"""Two towers: images and class semantics into one space, by contrast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

import keras
from keras import layers

from zsltf.checks import check_choice, check_positive
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.learned_cosine import LearnedCosine
from zsltf.losses.contrastive import InfoNCE, SigLIP
from zsltf.similarities.cosine import Cosine
from zsltf.training.compatibility import CompatibilityMethod, Parts, glorot
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["TwoTower"]

Contrast = Literal["infonce", "siglip"]


@dataclass(frozen=True, kw_only=True)
class TwoTower(CompatibilityMethod):
    """A network each for features and semantics; the cosine in their common space, times a trained scale, is the score.

    Source: Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021
    (InfoNCE); Zhai, Mustafa, Kolesnikov & Beyer, "Sigmoid loss for language image pre-training", ICCV 2023 (SigLIP);
    the backbone stays frozen, as in Zhai et al., "LiT: zero-shot transfer with locked-image text tuning", CVPR 2022.
    """

    width: int = 256
    """Of the common space, >= 1."""
    hidden: int = 0
    """Units of a hidden layer in either tower; 0 makes the towers linear."""
    loss: Contrast = "infonce"
    """`infonce` contrasts with the batch; `siglip` judges each pair alone, which suits small batches."""
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=1e-3))

    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((1e-3,), (1e-5, 1e-3), (10, 30, 60))}

    def __post_init__(self) -> None:
        check_positive("TwoTower", width=self.width)
        check_choice("TwoTower.loss", self.loss, get_args(Contrast))

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = tower of x, B = tower of S."""
        train.check_vectors("TwoTower")
        infonce = self.loss == "infonce"
        return Parts(
            embed=self._tower(train.x.shape[1], 0, "embed"),
            project=self._tower(len(classes.columns), 2, "project"),
            similarity=LearnedCosine() if infonce else LearnedCosine(10.0, initial_offset=-10.0),
            loss=InfoNCE() if infonce else SigLIP(),
            finish=lambda learned: Cosine(scale=learned.scale, name="cosine"),
        )

    def _tower(self, inputs: int, first: int, name: str) -> keras.Model:
        hidden = (
            [layers.Dense(self.hidden, "relu", kernel_initializer=glorot(self.descent, first))] if self.hidden else []
        )
        last = layers.Dense(self.width, kernel_initializer=glorot(self.descent, first + 1))
        return keras.Sequential([keras.Input((inputs,)), *hidden, last], name=name)
