"""Steps of augmentation on one image, pixels from Keras' layers or tf.image, chance from a seed alone."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

__all__ = [
    "SeedStream",
    "Step",
    "clip",
    "colour_jitter",
    "drawn_layer",
    "pad_and_crop",
    "random_erasing",
    "random_flip",
    "random_resized_crop",
    "split",
    "through",
]

Step = Callable[[Any, Any], Any]
"""(image (H, W, 3) in [0, 255], seed (2,)) -> image. Those that hold a layer are made outside of any graph."""


class SeedStream(keras.random.SeedGenerator):
    """Seeds counted up from a given one, for Keras' layers: without the variable that parallel calls would share."""

    def __init__(self, seed: Any) -> None:
        self._seed, self._drawn = seed, 0

    def next(self, ordered: bool = True) -> Any:
        """Another seed at each call, the same at the same call."""
        self._drawn += 1
        return tf.random.experimental.stateless_fold_in(self._seed, self._drawn)


def split(seed: Any, count: int) -> list[Any]:
    """Independent seeds of one seed."""
    return tf.unstack(tf.random.experimental.stateless_split(seed, count))


def clip(pixels: Any) -> Any:
    """Back to [0, 255]."""
    return tf.clip_by_value(pixels, 0.0, 255.0)


def drawn_layer(kind: type[keras.layers.Layer], **options: Any) -> keras.layers.Layer:
    """A layer of Keras that computes in float32 under any policy, and takes no seed of its own from Python's chance."""
    return kind(seed=0, dtype="float32", **options)


def through(layer: keras.layers.Layer, image: Any, seed: Any) -> Any:
    """One image through one of Keras' augmentation layers, whose own generator stays untouched."""
    batch = image[None]
    drawn = layer.get_random_transformation(batch, seed=SeedStream(seed))
    return layer.transform_images(batch, drawn)[0]


def random_resized_crop(size: int, scale: tuple[float, float], ratio: tuple[float, float]) -> Step:
    """A rectangle of an area in `scale` (shares) and a width / height in `ratio`, stretched to (size, size).

    Where no such rectangle fits in, the whole image is taken.
    """

    def step(image: Any, seed: Any) -> Any:
        begin, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
            tf.shape(image),
            [[[0.0, 0.0, 1.0, 1.0]]],
            seed,
            min_object_covered=0.0,
            aspect_ratio_range=ratio,
            area_range=scale,
        )
        # the decoder leaves at most twice the size: bilinear needs no antialiasing there
        return tf.image.resize(tf.slice(image, begin, extent), (size, size))

    return step


def pad_and_crop(padding: int) -> Step:
    """Black bars of `padding` pixels on all sides, then a rectangle of the former shape anywhere."""

    def step(image: Any, seed: Any) -> Any:
        padded = tf.pad(image, ((padding, padding), (padding, padding), (0, 0)))
        return tf.image.stateless_random_crop(padded, tf.shape(image), seed)

    return step


def random_flip(image: Any, seed: Any) -> Any:
    """Left becomes right in half of the images."""
    return tf.image.stateless_random_flip_left_right(image, seed)


def colour_jitter(brightness: float, contrast: float, saturation: float, hue: float) -> Step:
    """Shift and stretch the colours, in this order, each up to its bound; 0 leaves its step out."""

    def step(image: Any, seed: Any) -> Any:
        seeds = split(seed, 4)
        if brightness:
            image = clip(tf.image.stateless_random_brightness(image, 255 * brightness, seeds[0]))
        if contrast:
            image = clip(tf.image.stateless_random_contrast(image, 1 - contrast, 1 + contrast, seeds[1]))
        if saturation:
            image = tf.image.stateless_random_saturation(image, 1 - saturation, 1 + saturation, seeds[2])
        if hue:
            image = tf.image.stateless_random_hue(image, hue, seeds[3])
        return image

    return step


def random_erasing(probability: float, area: tuple[float, float]) -> Step:
    """Noise in place of a rectangle of an area in `area` (shares), in this share of the images.

    Source: Zhong, Zheng, Kang, Li & Yang, "Random erasing data augmentation", AAAI 2020.
    """
    layer = drawn_layer(keras.layers.RandomErasing, factor=(1.0, 1.0), scale=area)

    def step(image: Any, seed: Any) -> Any:
        coin, own = split(seed, 2)
        erase = tf.random.stateless_uniform((), coin) < probability
        return tf.cond(erase, lambda: through(layer, image, own), lambda: image)

    return step
