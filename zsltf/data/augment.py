"""Augmentation: chance changes of the training images in tf.data, a pure function of the pixels and a seed."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Self

import tensorflow as tf

from zsltf.checks import fail
from zsltf.data.augment_mixing import Mix, any_of, cut_mix, mix_up
from zsltf.data.augment_policy import rand_augment
from zsltf.data.augment_steps import (
    Step,
    clip,
    colour_jitter,
    pad_and_crop,
    random_erasing,
    random_flip,
    random_resized_crop,
    split,
)

__all__ = ["Augmentation"]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What chance does to the training images, in this order; by default nothing.

    Raises:
        ValueError: if a value is outside its range, or both crops are on.
    """

    crop_scale: tuple[float, float] | None = None
    """Random resized crop: smallest and largest share of the area that is kept, in (0, 1]; None switches it off."""
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    """Random resized crop: smallest and largest width / height of what is kept, > 0."""
    padding: int = 0
    """Pad and crop: pixels of black on each side of the network's input, >= 0; 0 switches it off."""
    flip: bool = False
    """Mirror half of the images left to right."""
    brightness: float = 0.0
    """Largest shift of all pixels, in [0, 1], in units of 255."""
    contrast: float = 0.0
    """Largest relative change of the distance to the mean colour, in [0, 1]."""
    saturation: float = 0.0
    """Largest relative change of the saturation, in [0, 1]."""
    hue: float = 0.0
    """Largest turn of the colour wheel, in [0, 0.5] turns."""
    rand_augment: int = 0
    """RandAugment: operations an image, >= 0."""
    magnitude: float = 0.5
    """RandAugment: how far each operation goes, in (0, 1]; 1 is a rotation by 30 degrees."""
    erasing: float = 0.0
    """Random erasing: share of the images that lose a rectangle, in [0, 1]."""
    erasing_area: tuple[float, float] = (0.02, 0.33)
    """Random erasing: smallest and largest share of the area that is lost, in (0, 1]."""
    mixup: float = 0.0
    """MixUp: alpha of the Beta distribution of the weights, in [0, 1]; 0 switches it off."""
    cutmix: float = 0.0
    """CutMix: alpha of the Beta distribution of the areas, in [0, 1]; 0 switches it off. With MixUp, one of the two
    a batch, each as likely."""

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation", "erasing", "mixup", "cutmix"):
            _check_within(name, getattr(self, name), 1)
        _check_within("hue", self.hue, 0.5)
        for name in ("padding", "rand_augment"):
            _check_count(name, getattr(self, name))
        _check_range("magnitude", (self.magnitude, self.magnitude), 1)
        _check_range("crop_scale", self.crop_scale or (1, 1), 1)
        _check_range("crop_ratio", self.crop_ratio, math.inf)
        _check_range("erasing_area", self.erasing_area, 1)
        if self.crop_scale and self.padding:
            fail("Augmentation", "one kind of crop", "crop_scale and padding", "Switch one off.")

    @classmethod
    def none(cls) -> Self:
        """The images as they are."""
        return cls()

    @classmethod
    def light(cls) -> Self:
        """A mild crop and the mirror: for fine-tuning on few images."""
        return cls(crop_scale=(0.35, 1.0), flip=True)

    @classmethod
    def strong(cls) -> Self:
        """A hard crop, the mirror, RandAugment and erasing: for long training."""
        return cls(crop_scale=(0.25, 1.0), flip=True, rand_augment=2, erasing=0.25)

    @classmethod
    def cifar(cls) -> Self:
        """Padding by 4 pixels, a crop and the mirror: for images of 32 pixels."""
        return cls(padding=4, flip=True)

    @property
    def mixes(self) -> bool:
        """Whether batches are mixed, which makes label rows of labels."""
        return bool(self.mixup or self.cutmix)

    @property
    def enabled(self) -> bool:
        """Whether it does anything."""
        return self.mixes or self.draws

    @property
    def draws(self) -> bool:
        """Whether it draws something for each image by itself."""
        return bool(self.crop_scale or self.padding or self.flip or self._jitters or self.rand_augment or self.erasing)

    def decode_size(self, size: int) -> int:
        """Pixels that photos are to be shrunk to, so that the smallest crop still fills a network of this input size.

        At most twice the input size: smaller crops are enlarged.
        """
        return min(2 * size, round(size / math.sqrt(self.crop_scale[0]))) if self.crop_scale else size

    def image_function(self, size: int, resize: Callable[[Any], Any]) -> Step:
        """What turns (decoded image (H, W, 3) in [0, 255], seed) into (size, size, 3) float32 in [0, 255].

        The same seed gives the same bits in any order and in parallel. To be called outside of tf.data's functions,
        which may not make Keras' layers; what it returns is for inside.

        Args:
            size: height and width in pixels that the network takes.
            resize: from a decoded image to (size, size, 3) where no random crop does that: `Preprocess.resize`.
        """
        steps = self._steps(size, resize)

        def augment(pixels: Any, seed: Any) -> Any:
            for step, own in zip(steps, split(seed, len(steps)), strict=True):  # a step's seed whatever the others do
                pixels = tf.ensure_shape(step(pixels, own), (size, size, 3)) if step else pixels
            return clip(pixels)

        return augment

    def batch_function(self) -> Mix:
        """What turns (images (B, H, W, 3), label rows (B, C), seed) into mixed images and label rows, both float32.

        Rows are one-hot or multi-hot. Without MixUp and CutMix both come back as they are. Where to call it: see
        `image_function`.
        """
        mixes = [make(alpha) for make, alpha in ((mix_up, self.mixup), (cut_mix, self.cutmix)) if alpha]
        return any_of(mixes) if mixes else lambda images, labels, _: (images, labels)

    @property
    def _jitters(self) -> bool:
        return bool(self.brightness or self.contrast or self.saturation or self.hue)

    def _steps(self, size: int, resize: Callable[[Any], Any]) -> tuple[Step | None, ...]:
        def whole(pixels: Any, _: Any) -> Any:
            return tf.cast(resize(pixels), tf.float32)

        jitter = (self.brightness, self.contrast, self.saturation, self.hue)
        return (
            random_resized_crop(size, self.crop_scale, self.crop_ratio) if self.crop_scale else whole,
            pad_and_crop(self.padding) if self.padding else None,
            random_flip if self.flip else None,
            colour_jitter(*jitter) if self._jitters else None,
            rand_augment(self.rand_augment, self.magnitude) if self.rand_augment else None,
            random_erasing(self.erasing, self.erasing_area) if self.erasing else None,
        )


def _check_within(name: str, value: float, limit: float) -> None:
    if not 0 <= value <= limit:
        fail(f"Augmentation.{name}", f"a number in [0, {limit:g}]", f"{value:g}", "0 switches it off.")


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
        fail(f"Augmentation.{name}", "a whole number >= 0", f"{value}", "0 switches it off.")


def _check_range(name: str, pair: tuple[float, float], limit: float) -> None:
    low, high = pair
    if not (0 < low <= high <= limit and math.isfinite(high)):
        upper = f" <= {limit:g}" if math.isfinite(limit) else ""
        fail(f"Augmentation.{name}", f"0 < smallest <= largest{upper}", f"{low:g} to {high:g}", "Try the default.")
