"""Autoencoder: an embedding from which the example can be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import check_positive
from zsltf.data.unlabelled import Unlabelled
from zsltf.training.descent import Descent
from zsltf.training.reconstruction import train_to_reconstruct

__all__ = ["Autoencoder"]


@dataclass(frozen=True, kw_only=True)
class Autoencoder:
    """An encoder and a decoder trained on the mean squared error of what comes out; with one layer each, PCA's space.

    Source: Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 2006.
    """

    size: int = 128
    """Width of the embedding, >= 1, where no network is given."""
    hidden: tuple[int, ...] = (512,)
    """Units of the encoder's layers before, where no network is given; the decoder has the same, turned."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=50))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"size": (32, 64, 128, 256)}
    TRAINS_NETWORK: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive("Autoencoder", size=self.size)

    def pretrain(self, unlabelled: Unlabelled, *, network: keras.Model | None = None) -> keras.Model:
        """Train on what comes in; see SelfTaughtMethod. The decoder is left behind."""
        units = (*self.hidden, self.size)
        return train_to_reconstruct("Autoencoder", unlabelled, network, units, self.descent)
