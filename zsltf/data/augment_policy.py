"""RandAugment: a few operations drawn from fourteen."""

from functools import partial
from typing import Any

import keras
import tensorflow as tf

from zsltf.data.augment_steps import Step, clip, drawn_layer, split, through

__all__ = ["rand_augment"]


def rand_augment(num_operations: int, magnitude: float) -> Step:
    """Draw `num_operations` of the paper's operations, with replacement, each up to `magnitude` of its range.

    keras.layers.RandAugment is not used: it computes every operation and keeps one, and at small factors its
    posterization and its solarization are at their strongest.

    Source: Cubuk, Zoph, Shlens & Le, "RandAugment: practical automated data augmentation with a reduced search
    space", NeurIPS 2020. The ranges are those of `_operations`.

    Args:
        num_operations: the paper's N.
        magnitude: share of the range, in (0, 1]; the paper's M is ten or thirty times this.
    """
    operations = _operations(magnitude)

    def step(image: Any, seed: Any) -> Any:
        shape = image.shape
        for one in split(seed, num_operations):
            which, own = split(one, 2)
            chosen = tf.random.stateless_uniform((), which, 0, len(operations), tf.int32)
            branches = [partial(operation, image, own) for operation in operations]
            image = tf.ensure_shape(clip(tf.switch_case(chosen, branches)), shape)
        return image

    return step


def _operations(magnitude: float) -> list[Step]:
    layers = keras.layers
    slant, shift, tone = 0.3 * magnitude, 0.45 * magnitude, 0.9 * magnitude
    return [
        lambda image, _: image,
        partial(through, layers.AutoContrast(dtype="float32")),
        partial(through, layers.Equalization(dtype="float32")),
        _of(layers.RandomRotation, factor=magnitude * 30 / 360),
        _of(layers.RandomShear, x_factor=slant),
        _of(layers.RandomShear, y_factor=slant),
        _of(layers.RandomTranslation, height_factor=0.0, width_factor=shift),
        _of(layers.RandomTranslation, height_factor=shift, width_factor=0.0),
        _of(layers.RandomPosterization, factor=(8 - round(4 * magnitude), 8)),  # bits kept
        _of(layers.RandomSharpness, factor=(0.5 - tone / 2, 0.5 + tone / 2)),  # 0.5 changes nothing
        _solarization(magnitude),
        lambda image, seed: tf.image.stateless_random_brightness(image, 127.5 * tone, seed),
        lambda image, seed: tf.image.stateless_random_contrast(image, 1 - tone, 1 + tone, seed),
        lambda image, seed: tf.image.stateless_random_saturation(image, 1 - tone, 1 + tone, seed),
    ]


def _of(kind: type[keras.layers.Layer], **options: Any) -> Step:
    return partial(through, drawn_layer(kind, **options))


def _solarization(magnitude: float) -> Step:
    layer = drawn_layer(keras.layers.Solarization)

    def step(image: Any, seed: Any) -> Any:
        # drawn here: the layer scales the upper bound of its threshold to pixels, and forgets the lower one
        threshold = tf.random.stateless_uniform((), seed, 255 * (1 - magnitude), 255.0)
        return layer.transform_images(image, {"thresholds": threshold, "additions": 0.0})

    return step
