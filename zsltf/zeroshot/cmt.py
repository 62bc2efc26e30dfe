"""CMT: a network from features to attributes, with a gate for what looks like no seen class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from keras import layers

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.novelty_gate import UngatedVectors, novelty_gate
from zsltf.losses.own_score import OwnScore
from zsltf.similarities.distance import Distance
from zsltf.training.compatibility import Parts, fit_parts, glorot
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["CMT"]


@dataclass(frozen=True, kw_only=True)
class CMT:
    """Two layers from features to the class's attributes, by squared distance; the nearest class wins.

    An image that is far from all seen classes can only be of an unseen one, any other only of a seen one.

    Source: Socher, Ganjoo, Manning & Ng, "Zero-shot learning through cross-modal transfer", NeurIPS 2013; classes are
    compared by the distance throughout, where theirs has a softmax for seen ones.
    """

    hidden: int = 128
    """Units of the hidden layer, >= 1."""
    familiar: float | None = 0.9
    """Share of the training images that the gate lets pass as seen, in (0, 1); None is without the gate."""
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=3e-3, epochs=60))

    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((3e-3,), (1e-4, 1e-3), (20, 60))}

    def __post_init__(self) -> None:
        check_positive("CMT", hidden=self.hidden)
        if self.familiar is not None and not 0 < self.familiar < 1:
            fail("CMT.familiar", "a share in (0, 1)", f"{self.familiar:g}", "Start from the default, or give None.")

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Train on the seen classes, then measure how far from them their images lie."""
        train.check_vectors("CMT")
        starts = [glorot(self.descent, layer) for layer in range(2)]
        network = [
            layers.Dense(self.hidden, "tanh", kernel_initializer=starts[0]),
            layers.Dense(len(classes.columns), kernel_initializer=starts[1]),
        ]
        embed = keras.Sequential([keras.Input((train.x.shape[1],)), *network], name="embed")
        parts = Parts(embed=embed, project=None, similarity=Distance(name="distance"), loss=OwnScore())
        fitted = fit_parts(parts, self.descent, train, classes)
        return fitted if self.familiar is None else self._gated(fitted, train, classes)

    def _gated(self, fitted: Classifier, train: Features, classes: ClassTable) -> Classifier:
        """A = [a, gate, 1], B = [2 s, -1 if seen, -|s|^2]."""
        a, known = np.asarray(fitted.embed(train.x)), np.unique(train.y)
        squares = np.square(a[:, None] - classes.semantics[known]).sum(axis=2)
        gate = novelty_gate(
            a,
            np.searchsorted(known, train.y),
            train.weights,
            classes.semantics[known],
            familiar=float(self.familiar or 0),
            strength=2 * float(squares.max()),
        )
        to_vectors = keras.Sequential([keras.Input((len(classes.columns),)), UngatedVectors()], name="project")
        vectors = np.array(to_vectors(classes.semantics))
        vectors[:, -2] = -classes.seen.astype(np.float32)
        embed = keras.Sequential([*fitted.embed.layers, gate], name="embed")
        embed.build(fitted.embed.input_shape)
        return Classifier(embed, classes, project=to_vectors, class_vectors=vectors)
