"""EfficientNetV2: fused convolutions below, trained on growing images."""

from functools import partial
from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, standardised, symmetric
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = [
    "efficientnet_v2_b0",
    "efficientnet_v2_b1",
    "efficientnet_v2_b2",
    "efficientnet_v2_b3",
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
]

FAMILY = Family(
    source="keras.applications",
    licence="not stated",
    url="https://storage.googleapis.com/tensorflow/keras-applications/efficientnet_v2/efficientnetv2-{}_notop.h5",
    stages=("stem", "block1", "block2", "block3", "block4", "block5", "block6", "top"),
    members={  # parameters, pixels, features, file, checksum
        "efficientnet_v2_b0": Member(5_919_312, 224, 1280, "b0", "893217f2bb855e2983157299931e43ff"),
        "efficientnet_v2_b1": Member(6_931_124, 240, 1280, "b1", "0e80663031ca32d657f9caa404b6ec37"),
        "efficientnet_v2_b2": Member(8_769_374, 260, 1408, "b2", "1dfe2e7a5d45b6632553a8961ea609eb"),
        "efficientnet_v2_b3": Member(12_930_622, 300, 1536, "b3", "f6abf7b5849ac99a89b50dd3fd532856"),
        "efficientnet_v2_s": Member(20_331_360, 384, 1280, "s", "af0682fb74e8c54910f2d4393339c070"),
        "efficientnet_v2_m": Member(
            53_150_388,
            480,
            1280,
            "m",
            "1b8dc055df72dde80d614482840fe342",
            stages=("stem", "block1", "block2", "block3", "block4", "block5", "block6", "block7", "top"),
        ),
        "efficientnet_v2_l": Member(
            117_746_848,
            480,
            1280,
            "l",
            "b0b66b5c863aef5b46e8608fe1711615",
            stages=("stem", "block1", "block2", "block3", "block4", "block5", "block6", "block7", "top"),
        ),
    },
)
_OPTIONS = {"include_preprocessing": False}
_SCALED = Application(family=FAMILY, prepare=standardised, options=_OPTIONS)
_SEARCHED = Application(family=FAMILY, prepare=partial(symmetric, middle=128.0), options=_OPTIONS)


def efficientnet_v2_b0(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNetV2-B0.

    Source: Tan & Le, "EfficientNetV2: smaller models and faster training", ICML 2021.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _SCALED.build("efficientnet_v2_b0", keras.applications.EfficientNetV2B0, weights, resize)


def efficientnet_v2_b1(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNetV2-B1; arguments as of `efficientnet_v2_b0`."""
    return _SCALED.build("efficientnet_v2_b1", keras.applications.EfficientNetV2B1, weights, resize)


def efficientnet_v2_b2(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNetV2-B2; arguments as of `efficientnet_v2_b0`."""
    return _SCALED.build("efficientnet_v2_b2", keras.applications.EfficientNetV2B2, weights, resize)


def efficientnet_v2_b3(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNetV2-B3; arguments as of `efficientnet_v2_b0`."""
    return _SCALED.build("efficientnet_v2_b3", keras.applications.EfficientNetV2B3, weights, resize)


def efficientnet_v2_s(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNetV2-S; arguments as of `efficientnet_v2_b0`."""
    return _SEARCHED.build("efficientnet_v2_s", keras.applications.EfficientNetV2S, weights, resize)


def efficientnet_v2_m(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNetV2-M; arguments as of `efficientnet_v2_b0`."""
    return _SEARCHED.build("efficientnet_v2_m", keras.applications.EfficientNetV2M, weights, resize)


def efficientnet_v2_l(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNetV2-L; arguments as of `efficientnet_v2_b0`."""
    return _SEARCHED.build("efficientnet_v2_l", keras.applications.EfficientNetV2L, weights, resize)
