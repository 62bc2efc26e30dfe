"""ResNet: residual bottleneck blocks."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, stages_by_prefix
from zsltf.pretrained.weights import PublishedWeights, load_weights

__all__ = ["resnet50"]

_RESNET50 = PublishedWeights(
    url="https://storage.googleapis.com/tensorflow/keras-applications/resnet/"
    "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    md5="4d473c1dd8becc155b73f8504c6f6626",
    licence="MIT",
)


def resnet50(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """ResNet50, 23.6 million parameters, 224 px, 2048 features.

    Source: He, Zhang, Ren & Sun, "Deep residual learning for image recognition", CVPR 2016.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    model = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(224, 224, 3))
    return Backbone(
        name="resnet50",
        weights=load_weights(model, weights, _RESNET50),
        model=model,
        preprocess=Preprocess(224, mean=(103.939, 116.779, 123.68), channels="bgr", resize=resize),
        stages=stages_by_prefix(model, [f"conv{i}" for i in range(1, 6)]),
    )
