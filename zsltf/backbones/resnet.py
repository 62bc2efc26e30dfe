"""ResNet: residual bottleneck blocks."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, bgr_centred
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["resnet50", "resnet101", "resnet152"]

FAMILY = Family(
    source="keras.applications",
    licence="MIT",
    url="https://storage.googleapis.com/tensorflow/keras-applications/resnet/{}_weights_tf_dim_ordering_tf_kernels_notop.h5",
    stages=("conv1", "conv2", "conv3", "conv4", "conv5"),
    members={  # parameters, pixels, features, file, checksum
        "resnet50": Member(23_587_712, 224, 2048, "resnet50", "4d473c1dd8becc155b73f8504c6f6626"),
        "resnet101": Member(42_658_176, 224, 2048, "resnet101", "88cf7a10940856eca736dc7b7e228a21"),
        "resnet152": Member(58_370_944, 224, 2048, "resnet152", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=bgr_centred)


def resnet50(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ResNet50, 16 blocks of three convolutions.

    Source: He, Zhang, Ren & Sun, "Deep residual learning for image recognition", CVPR 2016.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("resnet50", keras.applications.ResNet50, weights, resize)


def resnet101(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ResNet101; arguments as of `resnet50`."""
    return _APPLICATION.build("resnet101", keras.applications.ResNet101, weights, resize)


def resnet152(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ResNet152; arguments as of `resnet50`."""
    return _APPLICATION.build("resnet152", keras.applications.ResNet152, weights, resize)
