"""Mixing the images of a batch and their labels by Keras' layers, chance from a seed alone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from zsltf.checks import fail
from zsltf.data.augment_steps import SeedStream, clip, drawn_layer, split

__all__ = ["Mix", "any_of", "cut_mix", "mix_up"]

Mix = Callable[[Any, Any, Any], tuple[Any, Any]]
"""(images (B, H, W, 3), label rows (B, C), seed (2,)) -> (images, label rows). Made outside of any graph."""


def mix_up(alpha: float) -> Mix:
    """Each image a mean of two of the batch, weighted by Beta(alpha, alpha), and so its label row.

    Source: Zhang, Cisse, Dauphin & Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.
    """
    layer = drawn_layer(keras.layers.MixUp, alpha=alpha)

    def mix(images: Any, labels: Any, seed: Any) -> tuple[Any, Any]:
        drawn = layer.get_random_transformation(images, seed=SeedStream(seed))
        return clip(layer.transform_images(images, drawn)), layer.transform_labels(labels, drawn)

    return mix


def cut_mix(alpha: float) -> Mix:
    """A rectangle of each image taken from another of the batch, its area by Beta(alpha, alpha), labels by area.

    Source: Yun, Han, Oh, Chun, Choe & Yoo, "CutMix: regularization strategy to train strong classifiers with
    localizable features", ICCV 2019.
    """
    layer = drawn_layer(keras.layers.CutMix, factor=(alpha, alpha))

    def mix(images: Any, labels: Any, seed: Any) -> tuple[Any, Any]:
        drawn = layer.get_random_transformation(images, seed=SeedStream(seed))
        taken = tf.reduce_mean(tf.cast(drawn["batch_masks"], tf.float32), (1, 2, 3))
        drawn["mix_weight"] = 1 - taken  # the layer's own is of the rectangle before it meets whole pixels
        return layer.transform_images(images, drawn), layer.transform_labels(labels, drawn)

    return mix


def any_of(mixes: list[Mix]) -> Mix:
    """One of these a batch, all as likely."""

    def mix(images: Any, labels: Any, seed: Any) -> tuple[Any, Any]:
        images, labels = tf.cast(images, tf.float32), tf.cast(labels, tf.float32)
        if labels.shape.rank != 2:
            fail("Labels of a batch to mix", "rows (B, C)", f"shape {labels.shape}", "Use tf.one_hot(labels, classes).")
        which, own = split(seed, 2)
        chosen = tf.random.stateless_uniform((), which, 0, len(mixes), tf.int32)
        mixed = tf.switch_case(chosen, [partial(one, images, labels, own) for one in mixes])
        return tf.ensure_shape(mixed[0], images.shape), tf.ensure_shape(mixed[1], labels.shape)

    return mix
