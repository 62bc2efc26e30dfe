"""The adversary: a network that tells domains apart, behind a gradient reversal."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zsltf.layers.gradient_reversal import GradientReversal
from zsltf.training.compatibility import glorot
from zsltf.training.descent import Descent

__all__ = ["DomainClassifier"]


class DomainClassifier(keras.layers.Layer):
    """Vectors (B, K) of either domain to the mean cross-entropy, in nats, with which it tells them apart.

    It descends on that loss, while what made the vectors climbs, first not at all and at last in full:
    strength = 2 / (1 + exp(-steepness progress)) - 1.

    Source: Ganin et al., "Domain-adversarial training of neural networks", JMLR 2016.

    Args:
        width: K.
        units: of the hidden layers.
        descent: its seed is that of the weights.
        steepness: of the annealing, > 0; 10 in the paper.
    """

    def __init__(self, width: int, units: Sequence[int], descent: Descent, *, steepness: float = 10.0) -> None:
        super().__init__(name="domain_classifier")
        self.steepness, self.reversal = steepness, GradientReversal(0.0)
        *starts, last = (glorot(descent, 1 + i) for i in range(len(units) + 1))
        self.hidden = [
            keras.layers.Dense(n, activation="relu", kernel_initializer=start)
            for n, start in zip(units, starts, strict=True)
        ]
        self.logit = keras.layers.Dense(1, kernel_initializer=last)
        for layer, size in zip((*self.hidden, self.logit), (width, *units), strict=True):
            layer.build((None, size))
        self.built = True

    def call(self, source: Any, target: Any, progress: Any, weights: tuple[Any, Any] | None = None) -> Any:
        """The loss.

        Args:
            source: vectors (B, K).
            target: vectors (B, K).
            progress: share of the training that is over, in [0, 1].
            weights: of the examples of either, (B,) each, mean 1; None counts all alike.
        """
        self.reversal.strength.assign(2.0 / (1.0 + ops.exp(-self.steepness * progress)) - 1.0)
        losses = [ops.softplus(-self._score(source)), ops.softplus(self._score(target))]
        if weights is not None:
            losses = [weight * loss for weight, loss in zip(weights, losses, strict=True)]
        return (ops.mean(losses[0]) + ops.mean(losses[1])) / 2.0

    def _score(self, x: Any) -> Any:
        x = self.reversal(x)
        for layer in self.hidden:
            x = layer(x)
        return self.logit(x)[:, 0]
