"""MobileNetV2: inverted residuals with linear bottlenecks."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, symmetric
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["mobilenet_v2"]

FAMILY = Family(
    source="keras.applications",
    licence="Apache-2.0",
    url="https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    stages={  # a stage begins where the resolution halves
        "stem": "Conv1",
        "stage1": "block_1_",
        "stage2": "block_3_",
        "stage3": "block_6_",
        "stage4": "block_13_",
        "top": "Conv_1",
    },
    members={  # parameters, pixels, features
        "mobilenet_v2": Member(2_257_984, 224, 1280),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=symmetric)


def mobilenet_v2(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """MobileNetV2 of width 1.

    Source: Sandler, Howard, Zhu, Zhmoginov & Chen, "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("mobilenet_v2", keras.applications.MobileNetV2, weights, resize)
