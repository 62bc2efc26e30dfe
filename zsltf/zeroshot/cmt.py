"""CMT: a network from features to attributes, with a gate for what looks like no seen class."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from keras import layers
from scipy.spatial.distance import cdist

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.novelty_gate import UngatedVectors, novelty_gate
from zsltf.losses.own_score import OwnScore
from zsltf.similarities.distance import Distance
from zsltf.training.compatibility import Parts, fit_epochs, fit_parts, glorot
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["CMT"]


@dataclass(frozen=True, kw_only=True)
class CMT:
    """Two layers from features to the class's attributes, by squared distance; the nearest class wins.

    An image that is far from all seen classes is taken for one of an unseen class, any other for one of a seen class:
    the gate counts twice the largest squared distance of a training image from a seen class, so it decides unless an
    unseen class lies much farther off.

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
        train = train.counted()
        fitted = fit_parts(self._parts(train, classes), self.descent, train, classes)
        return self._gated(fitted, train, classes)

    def fit_epochs(self, train: Features, classes: ClassTable) -> Iterator[Classifier]:
        """The Classifier after every epoch, each with its own gate."""
        train = train.counted()
        for fitted in fit_epochs(self._parts(train, classes), self.descent, train, classes):
            yield self._gated(fitted, train, classes)

    def _parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = network(x), B = S."""
        train.check_vectors("CMT")
        starts = [glorot(self.descent, layer) for layer in range(2)]
        network = [
            layers.Dense(self.hidden, "tanh", kernel_initializer=starts[0]),
            layers.Dense(len(classes.columns), kernel_initializer=starts[1]),
        ]
        embed = keras.Sequential([keras.Input((train.x.shape[1],)), *network], name="embed")
        return Parts(embed=embed, project=None, similarity=Distance(name="distance"), loss=OwnScore())

    def _gated(self, fitted: Classifier, train: Features, classes: ClassTable) -> Classifier:
        """A = [a, gate, 1], B = [2 s, -1 if seen, -|s|^2]; without a gate as it is."""
        if self.familiar is None:
            return fitted
        a, known = np.asarray(fitted.embed(train.x)), np.unique(train.y)
        gate = novelty_gate(
            a,
            np.searchsorted(known, train.y),
            train.weights,
            classes.semantics[known],
            familiar=self.familiar,
            strength=2 * float(cdist(a, classes.semantics[known], "sqeuclidean").max()),
        )
        to_vectors = keras.Sequential([keras.Input((len(classes.columns),)), UngatedVectors()], name="project")
        vectors = np.array(to_vectors(classes.semantics))
        vectors[:, -2] = -classes.seen.astype(np.float32)
        embed = keras.Sequential([*fitted.embed.layers, gate], name="embed")
        embed.build(fitted.embed.input_shape)
        return Classifier(embed, classes, project=to_vectors, class_vectors=vectors)
