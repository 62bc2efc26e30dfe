"""Baseline: a new linear head on frozen features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np

from zsltf.classifier import Classifier
from zsltf.closed import closed
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity
from zsltf.protocols import FewShotLearner
from zsltf.solvers.class_means import class_means
from zsltf.solvers.support_heads import Steps, balanced, products, softmax_head
from zsltf.training.frozen_network import on_embeddings

__all__ = ["Baseline"]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A softmax on dot products, trained on the support alone by 100 steps from zeros; every class counts alike.

    The features are shifted and scaled as a whole to a mean of 0 and a mean square of 1 over the support, so that one
    learning rate suits every backbone. The steps take all examples at once instead of the paper's batches of four.

    Source: Chen, Liu, Kira, Wang & Huang, "A closer look at few-shot classification", ICLR 2019.
    """

    steps: Steps = field(default_factory=Steps)

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {}
    TRANSDUCTIVE: ClassVar[bool] = False

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """There is nothing to learn: base made the features."""
        return on_embeddings("Baseline", base, network, lambda _: self)

    def without_base(self) -> FewShotLearner:
        """The same."""
        return self

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Train the head; every class needs an example."""
        train.check_vectors("Baseline")
        train.check_covers(classes)
        x, y = np.asarray(train.x, np.float32)[None], train.y[None]
        targets, weights = balanced(y, len(classes), train.weights[None].astype(np.float32))
        kernel, bias = (np.asarray(part)[0] for part in self._head(x, targets, weights))
        means = class_means(train.x, train.y, train.weights, len(classes))
        return closed(identity(train.x.shape[1]), kernel, bias, classes, means)

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        kernel, bias = self._head(support, *balanced(support_y, ways))
        return products(query, kernel) + bias[:, None, :]

    def _head(self, support: Any, targets: Any, weights: Any) -> tuple[Any, Any]:
        """Kernel (E, W, D) and bias (E, W) on the features as they came."""
        ops = keras.ops
        mean = ops.einsum("es,esd->ed", weights, support)[:, None]
        centred = support - mean
        square = ops.einsum("es,esd->e", weights, centred**2)[:, None, None] + keras.config.epsilon()
        coefficients, bias = softmax_head(products(centred, centred) / square, targets, weights, self.steps)
        kernel = ops.einsum("esw,esd->ewd", coefficients, centred) / square
        return kernel, bias - products(mean, kernel)[:, 0]
