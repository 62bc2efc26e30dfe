"""InceptionV3: branches of factorised convolutions side by side."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, renumbered, symmetric
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["inception_v3"]

FAMILY = Family(
    source="keras.applications",
    licence="Apache-2.0",
    url="https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
    stages={  # each has the name of its first block
        "stem": "conv2d_0",
        "mixed0": "max_pooling2d_1",
        "mixed3": "mixed2",
        "mixed8": "mixed7",
    },
    members={  # parameters, pixels, features
        "inception_v3": Member(21_802_784, 299, 2048, checksum="bcbd6486424b2319ff4ef7d526e38f63"),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=symmetric, adapt=renumbered)


def inception_v3(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """InceptionV3.

    Source: Szegedy, Vanhoucke, Ioffe, Shlens & Wojna, "Rethinking the Inception architecture for computer vision",
        CVPR 2016.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 299 x 299.
    """
    return _APPLICATION.build("inception_v3", keras.applications.InceptionV3, weights, resize)
