"""ResNetV2: residual blocks with normalisation and activation before each convolution."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, symmetric
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["resnet50_v2", "resnet101_v2", "resnet152_v2"]

FAMILY = Family(
    source="keras.applications",
    licence="BSD",
    url="https://storage.googleapis.com/tensorflow/keras-applications/resnet/{}_weights_tf_dim_ordering_tf_kernels_notop.h5",
    stages=("conv1", "conv2", "conv3", "conv4", "conv5"),
    members={  # parameters, pixels, features, file, checksum
        "resnet50_v2": Member(23_564_800, 224, 2048, "resnet50v2", "fac2f116257151a9d068a22e544a4917"),
        "resnet101_v2": Member(42_626_560, 224, 2048, "resnet101v2", "c0ed64b8031c3730f411d2eb4eea35b5"),
        "resnet152_v2": Member(58_331_648, 224, 2048, "resnet152v2", "ed17cf2e0169df9d443503ef94b23b33"),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=symmetric)


def resnet50_v2(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ResNet50V2; its stages from conv2 on halve the resolution at their end.

    Source: He, Zhang, Ren & Sun, "Identity mappings in deep residual networks", ECCV 2016.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("resnet50_v2", keras.applications.ResNet50V2, weights, resize)


def resnet101_v2(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ResNet101V2; arguments as of `resnet50_v2`."""
    return _APPLICATION.build("resnet101_v2", keras.applications.ResNet101V2, weights, resize)


def resnet152_v2(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ResNet152V2; arguments as of `resnet50_v2`."""
    return _APPLICATION.build("resnet152_v2", keras.applications.ResNet152V2, weights, resize)
