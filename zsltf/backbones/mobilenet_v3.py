"""MobileNetV3: searched for phones, with squeeze-and-excitation and hard swish."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, symmetric
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["mobilenet_v3_large", "mobilenet_v3_small"]

FAMILY = Family(
    source="keras.applications",
    licence="not stated",
    url="https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_{}_224_1.0_float_no_top_v2.h5",
    stages={
        "stem": "conv",
        "stage1": "expanded_conv",
        "stage2": "expanded_conv_1_",
        "stage3": "expanded_conv_3_",
        "stage4": "expanded_conv_8_",
        "top": "conv_1",
    },
    members={  # parameters, pixels, features, file, checksum
        "mobilenet_v3_small": Member(939_120, 224, 576, "small", "d3e8ec802a04aa4fc771ee12a9a9b836"),
        "mobilenet_v3_large": Member(
            2_996_352,
            224,
            960,
            "large",
            "07fb09a5933dd0c8eaafa16978110389",
            stages={
                "stem": "conv",
                "stage1": "expanded_conv_1_",
                "stage2": "expanded_conv_3_",
                "stage3": "expanded_conv_6_",
                "stage4": "expanded_conv_12_",
                "top": "conv_1",
            },
        ),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=symmetric, options={"include_preprocessing": False})


def mobilenet_v3_small(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """MobileNetV3 small of width 1; a stage begins where the resolution halves.

    Source: Howard et al., "Searching for MobileNetV3", ICCV 2019.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("mobilenet_v3_small", keras.applications.MobileNetV3Small, weights, resize)


def mobilenet_v3_large(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """MobileNetV3 large; arguments as of `mobilenet_v3_small`."""
    return _APPLICATION.build("mobilenet_v3_large", keras.applications.MobileNetV3Large, weights, resize)
