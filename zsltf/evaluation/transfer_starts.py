"""What transfer and meta-learning start from: a small network on small images, or a pretrained backbone's features."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

from zsltf.data.features import Features
from zsltf.data.images import Images, OnCorrupt
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, Provenance
from zsltf.pretrained.extract import extract_features

__all__ = ["Start", "from_features", "from_scratch", "pixel_backbone", "residual_network", "small_network"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """Examples, and the network on them before any training."""

    name: str
    features: Features
    """Of every image."""
    network: Callable[[], keras.Model]
    """A new one, whose weights follow from Keras' seed."""
    learning_rate: float
    """Of Adam, in both kinds of training, > 0."""


def from_scratch(images: Images, *, size: int, filters: int, on_corrupt: OnCorrupt = "skip") -> Start:
    """Preprocessed small images under random weights."""
    features = extract_features(pixel_backbone(size), images, maps=True, on_corrupt=on_corrupt).features
    name = f"from scratch, {size} px"
    return Start(name=name, features=features, network=lambda: small_network(size, filters), learning_rate=1e-3)


def pixel_backbone(size: int) -> Backbone:
    """No network: preprocessed images of this height and width are its maps."""
    pixels = keras.Sequential([keras.Input((size, size, 3)), keras.layers.Identity()], name="pixels")
    return Backbone(
        name=f"pixels_{size}",
        model=keras.Model(pixels.inputs, pixels.outputs[0]),
        preprocess=Preprocess(size, mean=(127.5,) * 3, scale=(63.75,) * 3),
        stages={},
        weights=Provenance(source="random"),
    )


def from_features(images: Images, backbone: Backbone, *, hidden: int, on_corrupt: OnCorrupt = "skip") -> Start:
    """Features of a backbone that stays as it is, under a network that begins as the identity."""
    features = extract_features(backbone, images, on_corrupt=on_corrupt).features
    name, width = f"{backbone.name}'s features", backbone.feature_size
    return Start(name=name, features=features, network=lambda: residual_network(width, hidden), learning_rate=1e-4)


def small_network(size: int, filters: int) -> keras.Model:
    """Four blocks of a 3 x 3 convolution with stride 2, GroupNorm and ReLU, then the average.

    Source: Finn, Abbeel & Levine, "Model-agnostic meta-learning", ICML 2017 (strides instead of pooling); GroupNorm (Wu
    & He, ECCV 2018) of 8 filters a group, for through BatchNorm the images of an episode tell of each other.

    Args:
        size: height and width in pixels, >= 16.
        filters: of each convolution, a multiple of 8.
    """
    x = images = keras.Input((size, size, 3))
    for i in range(1, 5):
        x = keras.layers.Conv2D(filters, 3, 2, "same", use_bias=False, name=f"block{i}_conv")(x)
        x = keras.layers.GroupNormalization(filters // 8, name=f"block{i}_norm")(x)
        x = keras.layers.ReLU(name=f"block{i}_relu")(x)
    return keras.Model(images, keras.layers.GlobalAveragePooling2D(name="average")(x), name="small_network")


def residual_network(width: int, hidden: int) -> keras.Model:
    """x + W relu(V x + v), where W is 0 at first: what it gives before training is x."""
    x = keras.Input((width,))
    inside = keras.layers.Dense(hidden, activation="relu", name="hidden")(x)
    added = keras.layers.Dense(width, kernel_initializer="zeros", name="added")(inside)
    return keras.Model(x, keras.layers.Add(name="sum")([x, added]), name="residual_network")
