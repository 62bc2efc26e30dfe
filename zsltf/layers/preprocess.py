"""The one preprocessing: the same Keras ops run in tf.data, in training and inside every exported file."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np

from zsltf.checks import check_choice, check_positive
from zsltf.data.decode import Resize

__all__ = ["Preprocess"]


_RESIZE_OPTIONS: dict[str, dict[str, bool]] = {
    "stretch": {},
    "crop": {"crop_to_aspect_ratio": True},
    "pad": {"pad_to_aspect_ratio": True},
}


@keras.saving.register_keras_serializable("zsltf")
class Preprocess(keras.layers.Layer):
    """RGB pixels (B, H, W, 3) in [0, 255] to a network's input (B, size, size, 3).

    Args:
        size: height and width in pixels that the network takes.
        mean: per-channel mean in pixels, in the network's channel order.
        scale: per-channel divisor in pixels.
        resize: "stretch" ignores the aspect ratio, "crop" keeps the centre, "pad" adds black bars.
        channels: the network's channel order, "rgb" or "bgr".
    """

    def __init__(
        self,
        size: int,
        *,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        scale: Sequence[float] = (1.0, 1.0, 1.0),
        resize: Resize = "stretch",
        channels: Literal["rgb", "bgr"] = "rgb",
        name: str = "preprocess",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=False, dtype="float32", **kwargs)
        check_choice("Preprocess.resize", resize, _RESIZE_OPTIONS)
        check_choice("Preprocess.channels", channels, ("rgb", "bgr"))
        check_positive("Preprocess", size=size, scale=min(scale))
        self.size, self.resize_policy, self.channels = size, resize, channels
        self.mean, self.scale = (_three(values) for values in (mean, scale))

    def resize(self, images: Any) -> Any:
        """Resize a batch or one image to (size, size), float32, still in [0, 255]."""
        images = keras.ops.cast(images, "float32")  # before any arithmetic: uint8 wraps
        size = (self.size, self.size)
        if tuple(images.shape[-3:-1]) == size:
            return images
        return keras.ops.image.resize(images, size, interpolation="bilinear", **_RESIZE_OPTIONS[self.resize_policy])

    def normalise(self, images: Any) -> Any:
        """Reorder, shift and scale the channels of resized images."""
        if self.channels == "bgr":
            images = keras.ops.take(images, [2, 1, 0], axis=-1)
        mean, scale = (
            np.broadcast_to(np.array(values, np.float32), (self.size, 3)) for values in (self.mean, self.scale)
        )
        shifted = images - mean  # a row at a time, for three numbers are slow to broadcast
        return shifted if set(self.scale) == {1.0} else shifted / scale

    def call(self, images: Any) -> Any:
        return self.normalise(self.resize(images))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return (*input_shape[:-3], self.size, self.size, 3)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "size": self.size,
            "mean": self.mean,
            "scale": self.scale,
            "resize": self.resize_policy,
            "channels": self.channels,
        }


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    first, second, third = map(float, values)
    return first, second, third
