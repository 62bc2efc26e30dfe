"""MobileNet: depthwise separable convolutions for phones."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, symmetric
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["mobilenet"]

FAMILY = Family(
    source="keras.applications",
    licence="Apache-2.0",
    url="https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/mobilenet_1_0_224_tf_no_top.h5",
    stages={  # a stage begins where the resolution halves
        "stem": "conv1",
        "stage1": "conv_pad_2",
        "stage2": "conv_pad_4",
        "stage3": "conv_pad_6",
        "stage4": "conv_pad_12",
    },
    members={  # parameters, pixels, features
        "mobilenet": Member(3_228_864, 224, 1024),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=symmetric)


def mobilenet(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """MobileNet of width 1.

    Source: Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto & Adam, "MobileNets: efficient convolutional
        neural networks for mobile vision applications", 2017.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("mobilenet", keras.applications.MobileNet, weights, resize)
