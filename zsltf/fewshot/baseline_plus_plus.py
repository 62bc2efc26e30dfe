"""Baseline++: a new cosine head on frozen features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity
from zsltf.protocols import FewShotLearner
from zsltf.similarities.cosine import Cosine
from zsltf.solvers.support_heads import Steps, balanced, cosine_head, products
from zsltf.solvers.support_sets import cosines
from zsltf.training.frozen_network import on_embeddings

__all__ = ["BaselinePlusPlus"]


@dataclass(frozen=True, kw_only=True)
class BaselinePlusPlus:
    """A softmax on cosines, trained on the support alone by 100 steps; every class counts alike.

    It starts from the means of the classes' unit vectors, where the paper starts at random.

    Source: Chen, Liu, Kira, Wang & Huang, "A closer look at few-shot classification", ICLR 2019.
    """

    scale: float = 10.0
    """What cosines are multiplied by, > 0."""
    steps: Steps = field(default_factory=lambda: Steps(learning_rate=0.1))

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {}
    TRANSDUCTIVE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive("BaselinePlusPlus", scale=self.scale)

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """There is nothing to learn: base made the features."""
        return on_embeddings("BaselinePlusPlus", base, network, lambda _: self)

    def without_base(self) -> FewShotLearner:
        """The same."""
        return self

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Train the head; every class needs an example."""
        train.check_vectors("BaselinePlusPlus")
        train.check_covers(classes)
        x, y = np.asarray(train.x, np.float32)[None], train.y[None]
        targets, weights = balanced(y, len(classes), train.weights[None].astype(np.float32))
        vectors = np.asarray(self._vectors(x, targets, weights))[0]
        embed, similarity = identity(train.x.shape[1]), Cosine(scale=self.scale, name="cosine")
        return Classifier(embed, classes, similarity=similarity, class_vectors=vectors, opens_by=("photos",))

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        return self.scale * cosines(query, self._vectors(support, *balanced(support_y, ways)))

    def _vectors(self, support: Any, targets: Any, weights: Any) -> Any:
        """Class vectors (E, W, D)."""
        units = keras.ops.normalize(support, axis=-1)
        coefficients = cosine_head(products(units, units), targets, weights, self.scale, self.steps)
        return keras.ops.einsum("esw,esd->ewd", coefficients, units)
