"""NASNet: cells found by architecture search."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, symmetric
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["nasnet_mobile"]

FAMILY = Family(
    source="keras.applications",
    licence="Apache-2.0",
    url="https://storage.googleapis.com/tensorflow/keras-applications/nasnet/NASNet-{}-no-top.h5",
    stages={  # two tensors cross: each cell takes the outputs of the two before it
        "stem": "stem_conv1",
        "stage1": "adjust_conv_1_0",
        "stage2": "reduction_conv_1_reduce_4",
        "stage3": "reduction_conv_1_reduce_8",
    },
    members={  # parameters, pixels, features, file, checksum
        "nasnet_mobile": Member(4_269_716, 224, 1056, "mobile", "1ed92395b5b598bdda52abe5c0dbfd63"),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=symmetric)


def nasnet_mobile(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """NASNet-A (4 @ 1056); two reduction cells end the stem, one begins stage2 and one stage3.

    Source: Zoph, Vasudevan, Shlens & Le, "Learning transferable architectures for scalable image recognition",
        CVPR 2018.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("nasnet_mobile", keras.applications.NASNetMobile, weights, resize)
