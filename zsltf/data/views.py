"""Two looks at the same example: chance changes of a whole batch at once, compiled, from a seed alone."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from zsltf.checks import check_not_negative, check_share, fail

__all__ = ["FeatureViews", "ImageViews"]


@dataclass(frozen=True, kw_only=True)
class ImageViews:
    """A crop, the mirror, colours and noise; of preprocessed images, whose values are about -2 to 2.

    Source: Chen, Kornblith, Norouzi & Hinton, "A simple framework for contrastive learning of visual representations",
        ICML 2020 (crop, mirror, colours and grey; theirs work on pixels, and blur).
    """

    crop_scale: tuple[float, float] = (0.3, 1.0)
    """Smallest and largest share of the area that is kept, in (0, 1]; (1, 1) keeps all."""
    flip: bool = True
    """Mirror half of the images left to right."""
    brightness: float = 0.4
    """Largest shift of each image, >= 0, in units of the images' values."""
    contrast: float = 0.4
    """Largest relative change of the distance to an image's mean, in [0, 1)."""
    colour: float = 0.2
    """Largest shift of each channel by itself, >= 0."""
    grey: float = 0.2
    """Share of the images that lose their colours, in [0, 1)."""
    noise: float = 0.0
    """Standard deviation of normal noise, >= 0."""

    def __post_init__(self) -> None:
        check_share("ImageViews", contrast=self.contrast, grey=self.grey)
        check_not_negative("ImageViews", brightness=self.brightness, colour=self.colour, noise=self.noise)
        low, high = self.crop_scale
        if not 0 < low <= high <= 1:
            fail("ImageViews.crop_scale", "0 < smallest <= largest <= 1", f"{low:g} to {high:g}", "(1, 1) keeps all.")

    def __call__(self, x: Any, seed: Any) -> Any:
        """Images (B, H, W, C) to others of that shape; the same seed (2,) gives the same."""
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 7))
        x = random_crops(x, seeds[0], self.crop_scale)
        if self.flip:
            x = tf.where(_uniform(x, seeds[1], 0.0, 1.0) < 0.5, x[:, :, ::-1], x)
        mean = tf.reduce_mean(x, axis=(1, 2, 3), keepdims=True)
        x = mean + (x - mean) * _uniform(x, seeds[2], 1.0 - self.contrast, 1.0 + self.contrast)
        x += _uniform(x, seeds[3], -self.brightness, self.brightness)
        own = tf.random.stateless_uniform((tf.shape(x)[0], 1, 1, x.shape[-1]), seeds[4], -self.colour, self.colour)
        lost = _uniform(x, seeds[5], 0.0, 1.0) < self.grey
        x = tf.where(lost, tf.reduce_mean(x, axis=3, keepdims=True), x + own)
        return x + self.noise * tf.random.stateless_normal(tf.shape(x), seeds[6]) if self.noise else x


@dataclass(frozen=True, kw_only=True)
class FeatureViews:
    """Some coordinates are dropped, noise is added, and a little of another example is mixed in.

    Source: Verma, Luong, Kawaguchi, Pham & Le, "Towards domain-agnostic contrastive learning", ICML 2021 (mixing).
    """

    dropout: float = 0.2
    """Share of the coordinates that become the batch's mean, in [0, 1)."""
    noise: float = 0.2
    """Standard deviation of normal noise, >= 0, in units of each coordinate's own in the batch."""
    mixing: float = 0.2
    """Largest share of another example of the batch, in [0, 1)."""

    def __post_init__(self) -> None:
        check_share("FeatureViews", dropout=self.dropout, mixing=self.mixing)
        check_not_negative("FeatureViews", noise=self.noise)

    def __call__(self, x: Any, seed: Any) -> Any:
        """Vectors (B, D) to others of that shape; the same seed (2,) gives the same."""
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
        shape, mean, deviation = tf.shape(x), *_moments(x)
        others = tf.gather(x, tf.random.experimental.stateless_shuffle(tf.range(shape[0]), seeds[0]))
        share = tf.random.stateless_uniform((shape[0], 1), seeds[1], 0.0, self.mixing)
        mixed = (1.0 - share) * x + share * others
        noisy = mixed + self.noise * deviation * tf.random.stateless_normal(shape, seeds[2])
        return tf.where(tf.random.stateless_uniform(shape, seeds[3]) < self.dropout, mean, noisy)


def random_crops(x: Any, seed: Any, scale: tuple[float, float]) -> Any:
    """Of each image a rectangle whose area is a share in `scale` and whose width / height is 3/4 to 4/3, stretched."""
    if scale == (1.0, 1.0):
        return x
    draws = tf.random.stateless_uniform((4, tf.shape(x)[0]), seed)
    area = scale[0] + (scale[1] - scale[0]) * draws[0]
    ratio = tf.exp((2.0 * draws[1] - 1.0) * tf.math.log(4.0 / 3.0))
    height, width = (tf.minimum(tf.sqrt(product), 1.0) for product in (area / ratio, area * ratio))
    top, left = draws[2] * (1.0 - height), draws[3] * (1.0 - width)
    boxes = tf.stack([top, left, top + height, left + width], axis=1)
    return tf.image.crop_and_resize(x, boxes, tf.range(tf.shape(x)[0]), x.shape[1:3])


def _uniform(x: Any, seed: Any, low: float, high: float) -> Any:
    """One number an image."""
    return tf.random.stateless_uniform((tf.shape(x)[0], 1, 1, 1), seed, low, high)


def _moments(x: Any) -> tuple[Any, Any]:
    mean, variance = tf.nn.moments(x, axes=[0], keepdims=True)
    return mean, tf.sqrt(variance)
