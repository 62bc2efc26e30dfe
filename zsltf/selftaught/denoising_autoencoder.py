"""Denoising autoencoder: an embedding from which the example can be told though some of it was hidden."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import tensorflow as tf

from zsltf.checks import check_not_negative, check_positive, check_share
from zsltf.data.unlabelled import Unlabelled
from zsltf.training.descent import Descent
from zsltf.training.reconstruction import train_to_reconstruct

__all__ = ["DenoisingAutoencoder"]


@dataclass(frozen=True, kw_only=True)
class DenoisingAutoencoder:
    """An autoencoder that sees its examples with numbers (of images: pixels) masked, and noise.

    Source: Vincent, Larochelle, Bengio & Manzagol, "Extracting and composing robust features with denoising
        autoencoders", ICML 2008; Vincent, Larochelle, Lajoie, Bengio & Manzagol, "Stacked denoising autoencoders",
        JMLR 2010.
    """

    masked: float = 0.25
    """Share that becomes the mean, in [0, 1)."""
    noise: float = 0.1
    """Standard deviation of normal noise, >= 0, in units of the examples'."""
    size: int = 128
    """Width of the embedding, >= 1, where no network is given."""
    hidden: tuple[int, ...] = (512,)
    """Units of the encoder's layers before, where no network is given; the decoder has the same, turned."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=50))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"masked": (0.1, 0.25, 0.5), "size": (32, 64, 128, 256)}
    TRAINS_NETWORK: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_share("DenoisingAutoencoder", masked=self.masked)
        check_not_negative("DenoisingAutoencoder", noise=self.noise)
        check_positive("DenoisingAutoencoder", size=self.size)

    def pretrain(self, unlabelled: Unlabelled, *, network: keras.Model | None = None) -> keras.Model:
        """Train on what was hidden, too; see SelfTaughtMethod. Without mask and noise it is Autoencoder."""
        corrupt = self.corrupted if self.masked or self.noise else None
        units = (*self.hidden, self.size)
        return train_to_reconstruct("DenoisingAutoencoder", unlabelled, network, units, self.descent, corrupt)

    def corrupted(self, x: Any, seed: Any) -> Any:
        """Framed examples (B, ...), whose mean is 0, with a mask of each place and noise."""
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        places = tf.shape(x) if len(x.shape) == 2 else tf.concat([tf.shape(x)[:-1], [1]], axis=0)
        kept = tf.cast(tf.random.stateless_uniform(places, seeds[0]) >= self.masked, x.dtype)
        return kept * x + self.noise * tf.random.stateless_normal(tf.shape(x), seeds[1])
