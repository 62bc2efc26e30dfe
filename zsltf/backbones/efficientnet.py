"""EfficientNet: one network scaled in depth, width and resolution at once."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, standardised
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = [
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
]

FAMILY = Family(
    source="keras.applications",
    licence="not stated",
    url="https://storage.googleapis.com/keras-applications/efficientnet{}_notop.h5",
    stages=("stem", "block1", "block2", "block3", "block4", "block5", "block6", "block7", "top"),
    members={  # parameters, pixels, features, file, checksum
        "efficientnet_b0": Member(4_049_564, 224, 1280, "b0", "50bc09e76180e00e4465e1a485ddc09d"),
        "efficientnet_b1": Member(6_575_232, 240, 1280, "b1", "74c4e6b3e1f6a1eea24c589628592432"),
        "efficientnet_b2": Member(7_768_562, 260, 1408, "b2", "111f8e2ac8aa800a7a99e3239f7bfb39"),
        "efficientnet_b3": Member(10_783_528, 300, 1536, "b3", "af6d107764bb5b1abb91932881670226"),
        "efficientnet_b4": Member(17_673_816, 380, 1792, "b4", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
        "efficientnet_b5": Member(28_513_520, 456, 2048, "b5", "38879255a25d3c92d5e44e04ae6cec6f"),
        "efficientnet_b6": Member(40_960_136, 528, 2304, "b6", "9ecce42647a20130c1f39a5d4cb75743"),
        "efficientnet_b7": Member(64_097_680, 600, 2560, "b7", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
    },
)


def _without_preprocessing(model: keras.Model) -> keras.Model:
    """The part above the three layers that keras.applications puts first; Normalization converts to no ONNX."""
    return keras.Model(model.get_layer("stem_conv_pad").input, model.output, name=model.name)


_APPLICATION = Application(family=FAMILY, prepare=standardised, adapt=_without_preprocessing)


def efficientnet_b0(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNet-B0.

    Source: Tan & Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("efficientnet_b0", keras.applications.EfficientNetB0, weights, resize)


def efficientnet_b1(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNet-B1; arguments as of `efficientnet_b0`."""
    return _APPLICATION.build("efficientnet_b1", keras.applications.EfficientNetB1, weights, resize)


def efficientnet_b2(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNet-B2; arguments as of `efficientnet_b0`."""
    return _APPLICATION.build("efficientnet_b2", keras.applications.EfficientNetB2, weights, resize)


def efficientnet_b3(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNet-B3; arguments as of `efficientnet_b0`."""
    return _APPLICATION.build("efficientnet_b3", keras.applications.EfficientNetB3, weights, resize)


def efficientnet_b4(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNet-B4; arguments as of `efficientnet_b0`."""
    return _APPLICATION.build("efficientnet_b4", keras.applications.EfficientNetB4, weights, resize)


def efficientnet_b5(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNet-B5; arguments as of `efficientnet_b0`."""
    return _APPLICATION.build("efficientnet_b5", keras.applications.EfficientNetB5, weights, resize)


def efficientnet_b6(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNet-B6; arguments as of `efficientnet_b0`."""
    return _APPLICATION.build("efficientnet_b6", keras.applications.EfficientNetB6, weights, resize)


def efficientnet_b7(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNet-B7; arguments as of `efficientnet_b0`."""
    return _APPLICATION.build("efficientnet_b7", keras.applications.EfficientNetB7, weights, resize)
