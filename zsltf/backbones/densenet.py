"""DenseNet: each layer sees the maps of all before it."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, standardised
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["densenet121", "densenet169", "densenet201"]

FAMILY = Family(
    source="keras.applications",
    licence="BSD-3-Clause",
    url="https://storage.googleapis.com/tensorflow/keras-applications/densenet/{}_weights_tf_dim_ordering_tf_kernels_notop.h5",
    stages=("conv1", "conv2", "conv3", "conv4", "conv5"),
    members={  # parameters, pixels, features, file, checksum
        "densenet121": Member(7_037_504, 224, 1024, "densenet121", "30ee3e1110167f948a6b9946edeeb738"),
        "densenet169": Member(12_642_880, 224, 1664, "densenet169", "b8c4d4c20dd625c148057b9ff1c1176b"),
        "densenet201": Member(18_321_984, 224, 1920, "densenet201", "c13680b51ded0fb44dff2d8f86ac8bb1"),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=standardised)


def densenet121(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """DenseNet121; its stages from conv2 on end with the transition to half the resolution.

    Source: Huang, Liu, van der Maaten & Weinberger, "Densely connected convolutional networks", CVPR 2017.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("densenet121", keras.applications.DenseNet121, weights, resize)


def densenet169(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """DenseNet169; arguments as of `densenet121`."""
    return _APPLICATION.build("densenet169", keras.applications.DenseNet169, weights, resize)


def densenet201(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """DenseNet201; arguments as of `densenet121`."""
    return _APPLICATION.build("densenet201", keras.applications.DenseNet201, weights, resize)
