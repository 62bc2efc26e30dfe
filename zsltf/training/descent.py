"""Settings of a training by gradients on features."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zsltf.checks import check_positive, check_seed, fail

__all__ = ["Descent", "descents"]


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Adam on shuffled batches.

    Source: Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    learning_rate: float = 1e-3
    """> 0."""
    penalty: float = 1e-5
    """Of half the squared weights of every kernel, >= 0, against the mean loss of an image."""
    epochs: int = 30
    """Passes over the images, >= 1."""
    drop_after: int | None = None
    """Epochs after which the learning rate is a tenth."""
    batch_size: int = 64
    """Images a step, >= 1."""
    seed: int = 0
    """Of the images' order and of the weights that training starts from."""

    def __post_init__(self) -> None:
        check_positive("Descent", learning_rate=self.learning_rate, epochs=self.epochs, batch_size=self.batch_size)
        if not 0 <= self.penalty < np.inf:
            fail("Descent.penalty", "a number >= 0", f"{self.penalty:g}", "Start from the default.")
        check_seed("Descent", self.seed)

    def check_compares(self, method: str) -> None:
        """Refuse batches of one example for a method that compares those of a batch."""
        if self.batch_size < 2:
            fail(f"{method}, Descent.batch_size", "2 or more", str(self.batch_size), "Start from the default.")


def descents(
    learning_rate: Sequence[float], penalty: Sequence[float], epochs: Sequence[int], base: Descent | None = None
) -> tuple[Descent, ...]:
    """Every combination, as a search range; those that differ in epochs alone cost one training."""
    return tuple(
        replace(base or Descent(), learning_rate=r, penalty=p, epochs=e)
        for r, p, e in itertools.product(learning_rate, penalty, epochs)
    )
