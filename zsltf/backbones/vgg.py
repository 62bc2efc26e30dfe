"""VGG: plain stacks of 3 x 3 convolutions."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, stages_by_prefix
from zsltf.pretrained.weights import PublishedWeights, load_weights

__all__ = ["vgg16"]

_VGG16 = PublishedWeights(
    url="https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
    "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    md5="6d6bbae143d832006294945121d1f1fc",
    licence="CC-BY-4.0",
)


def vgg16(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """VGG16, 14.7 million parameters, 224 px, 512 features.

    Source: Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    model = keras.applications.VGG16(include_top=False, weights=None, input_shape=(224, 224, 3))
    return Backbone(
        name="vgg16",
        weights=load_weights(model, weights, _VGG16),
        model=model,
        preprocess=Preprocess(224, mean=(103.939, 116.779, 123.68), channels="bgr", resize=resize),
        stages=stages_by_prefix(model, [f"block{i}" for i in range(1, 6)]),
    )
