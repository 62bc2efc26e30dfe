"""An encoder whose embedding tells a decoder what the example was."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.data.unlabelled import Unlabelled
from zsltf.training.descent import Descent
from zsltf.training.encoders import dense_layers, frame, framed
from zsltf.training.pretraining import pretrainable, train_encoder

__all__ = ["decoder", "train_to_reconstruct"]

_FILTERS = 32


def train_to_reconstruct(
    method: str,
    unlabelled: Unlabelled,
    network: keras.Model | None,
    units: tuple[int, ...],
    descent: Descent,
    corrupt: Callable[[Any, Any], Any] | None = None,
) -> keras.Model:
    """Train encoder and decoder on the mean squared error, in units of the examples' variance: 1 is what a mean gives.

    Args:
        method: is named in messages.
        unlabelled: examples.
        network: the encoder to train a copy of; by default `units` make one, for vectors.
        units: of the encoder's layers, the last its embedding's; the decoder has the same before the last, turned.
        descent: Adam's settings.
        corrupt: framed examples and a seed to what the encoder gets to see; by default they stay as they are.
    """

    def own(x: Float[np.ndarray, "N D"]) -> keras.Model:
        inputs = a = keras.Input(x.shape[1:])
        a = framed(a, x)
        for layer in dense_layers(units, descent.seed, "encoder"):
            a = layer(a)
        return keras.Model(inputs, a, name="encoder")

    encoder = pretrainable(method, unlabelled, network, own)
    back = decoder(int(encoder.output_shape[-1]), unlabelled.x.shape[1:], units[-2::-1], descent.seed + 100)
    mean, scale = frame(unlabelled.x)

    def loss(x: Any, seed: Any) -> Any:
        wanted = (x - mean) * scale
        seen = x if corrupt is None else corrupt(wanted, seed) / scale + mean
        return tf.reduce_mean((back(encoder(seen, training=True), training=True) - wanted) ** 2)

    return train_encoder(method, encoder, [back], loss, descent, unlabelled)


def decoder(width: int, shape: tuple[int, ...], hidden: tuple[int, ...], seed: int) -> keras.Model:
    """From embeddings (B, width) to examples: dense layers for vectors, enlarging convolutions for images.

    Args:
        width: of the embeddings.
        shape: of an example, (D,) or (H, W, C).
        hidden: units of dense layers in between, for vectors.
        seed: of its weights.
    """
    x = a = keras.Input((width,))
    if len(shape) == 1:
        for layer in dense_layers((*hidden, shape[0]), seed, "decoder"):
            a = layer(a)
        return keras.Model(x, a, name="decoder")
    height, across, channels = shape
    doublings = 3 if min(height, across) >= 16 else 1
    small = tuple(math.ceil(side / 2**doublings) for side in (height, across))
    start = keras.initializers.GlorotUniform(seed)
    a = keras.layers.Dense(small[0] * small[1] * _FILTERS, activation="relu", kernel_initializer=start)(a)
    a = keras.layers.Reshape((*small, _FILTERS))(a)
    for i in range(doublings):
        last = i == doublings - 1
        start = keras.initializers.GlorotUniform(seed + i + 1)
        convolution = keras.layers.Conv2D(
            channels if last else _FILTERS,
            3,
            padding="same",
            activation=None if last else "relu",
            kernel_initializer=start,
        )
        a = convolution(keras.layers.UpSampling2D(interpolation="nearest")(a))
    surplus = tuple((0, 2**doublings * little - side) for little, side in zip(small, (height, across), strict=True))
    return keras.Model(x, keras.layers.Cropping2D(surplus)(a), name="decoder")
