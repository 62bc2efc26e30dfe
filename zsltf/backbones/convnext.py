"""ConvNeXt: a convolutional network with the habits of a vision transformer."""

from functools import partial
from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, renumbered, standardised
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["convnext_base", "convnext_small", "convnext_tiny"]

FAMILY = Family(
    source="keras.applications",
    licence="MIT",
    url="https://storage.googleapis.com/tensorflow/keras-applications/convnext/convnext_{}_notop.h5",
    stages={
        "stem": "convnext_stem",
        "stage1": "convnext_stage_0_",
        "stage2": "convnext_downsampling_block_0",
        "stage3": "convnext_downsampling_block_1",
        "stage4": "convnext_downsampling_block_2",
    },
    members={  # parameters, pixels, features, file, checksum
        "convnext_tiny": Member(
            27_820_128, 224, 768, "tiny", "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1"
        ),
        "convnext_small": Member(
            49_454_688, 224, 768, "small", "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab"
        ),
        "convnext_base": Member(
            87_566_464, 224, 1024, "base", "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45"
        ),
    },
)


def _depthwise(layer: keras.layers.Layer) -> keras.layers.Layer:
    """DepthwiseConv2D for a convolution of one channel a group: the same numbers, and faster on a CPU."""
    if isinstance(layer, keras.layers.Conv2D) and layer.groups > 1:
        return keras.layers.DepthwiseConv2D(layer.kernel_size, padding=layer.padding, name=layer.name)
    return layer


_APPLICATION = Application(
    family=FAMILY,
    prepare=standardised,
    options={"include_preprocessing": False, "name": "convnext"},
    adapt=partial(renumbered, replace=_depthwise),
)


def convnext_tiny(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ConvNeXt-T.

    Source: Liu, Mao, Wu, Feichtenhofer, Darrell & Xie, "A ConvNet for the 2020s", CVPR 2022.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("convnext_tiny", keras.applications.ConvNeXtTiny, weights, resize)


def convnext_small(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ConvNeXt-S; arguments as of `convnext_tiny`."""
    return _APPLICATION.build("convnext_small", keras.applications.ConvNeXtSmall, weights, resize)


def convnext_base(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ConvNeXt-B; arguments as of `convnext_tiny`."""
    return _APPLICATION.build("convnext_base", keras.applications.ConvNeXtBase, weights, resize)
