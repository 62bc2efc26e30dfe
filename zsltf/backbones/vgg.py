"""VGG: plain stacks of 3 x 3 convolutions."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.pretrained.applications import Application, bgr_centred
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member

__all__ = ["vgg16", "vgg19"]

FAMILY = Family(
    source="keras.applications",
    licence="CC-BY-4.0",
    url="https://storage.googleapis.com/tensorflow/keras-applications/{0}/{0}_weights_tf_dim_ordering_tf_kernels_notop.h5",
    stages=("block1", "block2", "block3", "block4", "block5"),
    members={  # parameters, pixels, features, file, checksum
        "vgg16": Member(14_714_688, 224, 512, "vgg16", "6d6bbae143d832006294945121d1f1fc"),
        "vgg19": Member(20_024_384, 224, 512, "vgg19", "253f8cb515780f3b799900260a226db6"),
    },
)
_APPLICATION = Application(family=FAMILY, prepare=bgr_centred)


def vgg16(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """VGG16, 13 convolutions.

    Source: Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    return _APPLICATION.build("vgg16", keras.applications.VGG16, weights, resize)


def vgg19(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """VGG19, 16 convolutions; arguments as of `vgg16`."""
    return _APPLICATION.build("vgg19", keras.applications.VGG19, weights, resize)
