"""CDAN: a domain classifier that sees embeddings and predicted classes together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from zsltf.checks import check_not_negative, check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.training.alignment import adaptable, train_aligned
from zsltf.training.descent import Descent
from zsltf.training.domain_classifier import DomainClassifier

__all__ = ["CDAN"]


@dataclass(frozen=True, kw_only=True)
class CDAN:
    """The domain classifier sees each embedding times each class probability.

    Source: Long, Cao, Wang & Jordan, "Conditional adversarial domain adaptation", NeurIPS 2018.
    """

    weight: float = 1.0
    """Of the domain classifier's loss, >= 0; 0 is training on the source alone."""
    entropy: bool = True
    """Let examples whose class is sure count more: 1 + exp(-H) (CDAN+E)."""
    units: tuple[int, ...] = (128, 128)
    """Of the domain classifier's hidden layers."""
    steepness: float = 10.0
    """How fast the reversal comes to its full strength, > 0."""
    most: int = 4096
    """Products that the domain classifier sees; where there are more, random projections of both factors, >= 1."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=4))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"weight": (0.1, 0.3, 1.0)}

    def __post_init__(self) -> None:
        check_not_negative("CDAN", weight=self.weight)
        check_positive("CDAN", steepness=self.steepness, most=self.most)

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Train on both domains; see AdaptationMethod. The domain classifier is left behind."""
        model = adaptable("CDAN", source, target, classes, network, self.descent)
        products = Products(model.width, len(classes), self.most, self.descent.seed)
        adversary = DomainClassifier(products.width, self.units, self.descent, steepness=self.steepness)

        def confusion(a: Any, a_scores: Any, b: Any, b_scores: Any, progress: Any) -> Any:
            shares = [ops.stop_gradient(ops.softmax(scores)) for scores in (a_scores, b_scores)]
            weights = tuple(map(certainty, shares)) if self.entropy else None
            return adversary(products(a, shares[0]), products(b, shares[1]), progress, weights)

        train_aligned(model, confusion, self.weight, self.descent, source, target, layer=adversary)
        return model.classifier(source)


class Products:
    """Each coordinate of vectors (B, K) times each of shares (B, C), or random projections of both, times each other.

    Args:
        width: K.
        num_classes: C.
        most: K C up to which the products are taken themselves, and their number else.
        seed: of the projections.
    """

    def __init__(self, width: int, num_classes: int, most: int, seed: int) -> None:
        self.exact = width * num_classes <= most
        self.width = width * num_classes if self.exact else most
        rng = np.random.default_rng(seed)
        sizes = () if self.exact else (width, num_classes)
        self._projections = [rng.normal(size=(size, most)).astype(np.float32) for size in sizes]

    def __call__(self, a: Any, shares: Any) -> Any:
        if self.exact:
            return ops.reshape(a[:, :, None] * shares[:, None, :], (-1, self.width))
        left, right = (ops.matmul(x, random) for x, random in zip((a, shares), self._projections, strict=True))
        return left * right / math.sqrt(self.width)


def certainty(shares: Any) -> Any:
    """1 + exp(-H) of class probabilities (B, C), with a mean of 1 over the batch."""
    entropy = -ops.sum(shares * ops.log(shares + 1e-8), axis=1)
    weights = 1.0 + ops.exp(-entropy)
    return weights / ops.mean(weights)
