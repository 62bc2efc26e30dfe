"""Inception-ResNet-v2: Inception blocks with residual connections."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, renumbered, symmetric
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["inception_resnet_v2"]

FAMILY = Family(
    source="keras.applications",
    licence="Apache-2.0",
    url="https://storage.googleapis.com/tensorflow/keras-applications/inception_resnet_v2/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
    stages={
        "stem": "conv2d_0",
        "block35": "max_pooling2d_1",
        "block17": "block35_10_ac",
        "block8": "block17_20_ac",
    },
    members={  # parameters, pixels, features
        "inception_resnet_v2": Member(54_336_736, 299, 1536, checksum="d19885ff4a710c122648d3b5c3b684e4"),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=symmetric, adapt=renumbered)


def inception_resnet_v2(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """Inception-ResNet-v2; block35, block17 and block8 work on maps of that many pixels.

    Source: Szegedy, Ioffe, Vanhoucke & Alemi, "Inception-v4, Inception-ResNet and the impact of residual connections
        on learning", AAAI 2017.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 299 x 299.
    """
    return _APPLICATION.build("inception_resnet_v2", keras.applications.InceptionResNetV2, weights, resize)
