"""Two views of each example, and a loss of their projections: how joint embeddings are trained."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from zsltf.data.unlabelled import Unlabelled
from zsltf.data.views import FeatureViews, ImageViews
from zsltf.training.descent import Descent
from zsltf.training.pretraining import train_encoder

__all__ = ["projector", "train_on_views"]


def projector(width: int, units: tuple[int, ...], seed: int) -> keras.Model:
    """Dense layers on embeddings (B, width), all but the last with BatchNorm and ReLU; it is left behind."""
    a = x = keras.Input((width,))
    for i, size in enumerate(units):
        start = keras.initializers.GlorotUniform(seed + i)
        a = keras.layers.Dense(size, kernel_initializer=start, name=f"projector_{i}")(a)
        if i < len(units) - 1:
            a = keras.layers.ReLU()(keras.layers.BatchNormalization()(a))
    return keras.Model(x, a, name="projector")


def train_on_views(
    method: str,
    encoder: keras.Model,
    units: tuple[int, ...],
    loss: Callable[[Any, Any], Any],
    descent: Descent,
    unlabelled: Unlabelled,
    views: ImageViews | FeatureViews,
) -> keras.Model:
    """Train an encoder so that the loss of the projections of both views, each (B, K), is small.

    Both views go through as one batch, so that BatchNorm tells nothing of which is which.
    """
    projection = projector(int(encoder.output_shape[-1]), units, descent.seed)

    def of_batch(x: Any, seed: Any) -> Any:
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        both = tf.concat([views(x, own) for own in seeds], axis=0)
        return loss(*tf.split(projection(encoder(both, training=True), training=True), 2))

    return train_encoder(method, encoder, [projection], of_batch, descent, unlabelled)
