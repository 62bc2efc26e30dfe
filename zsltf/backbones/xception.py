"""Xception: Inception taken to its extreme, depthwise separable convolutions."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, renumbered, symmetric
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["xception"]

FAMILY = Family(
    source="keras.applications",
    licence="MIT",
    url="https://storage.googleapis.com/tensorflow/keras-applications/xception/xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
    stages={
        "block1": "block1_",
        "block2": "block2_",
        "block3": "block3_",
        "block4": "block4_",
        "middle": "block5_",
        "exit": "block13_",
    },
    members={  # parameters, pixels, features
        "xception": Member(20_861_480, 299, 2048, checksum="b0042744bf5b25fce3cb969f33bebb97"),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=symmetric, adapt=renumbered)


def xception(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """Xception; the middle flow is blocks 5 to 12, the exit flow blocks 13 and 14.

    Source: Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR 2017.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 299 x 299.
    """
    return _APPLICATION.build("xception", keras.applications.Xception, weights, resize)
