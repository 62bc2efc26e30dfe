"""MobileNet: depthwise separable convolutions for phones."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, stages_by_prefix
from zsltf.pretrained.weights import PublishedWeights, load_weights

__all__ = ["mobilenet_v2"]

_MOBILENET_V2 = PublishedWeights(
    url="https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    md5="",
    licence="Apache-2.0",
)
_STAGES = {  # by resolution: the blocks between two strides
    "stem": ("Conv1", "bn_Conv1", "expanded_conv_"),
    "stage1": ("block_1_", "block_2_"),
    "stage2": ("block_3_", "block_4_", "block_5_"),
    "stage3": tuple(f"block_{i}_" for i in range(6, 13)),
    "stage4": tuple(f"block_{i}_" for i in range(13, 17)),
    "top": ("Conv_1",),
}


def mobilenet_v2(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """MobileNetV2 of width 1, 2.3 million parameters, 224 px, 1280 features.

    Source: Sandler, Howard, Zhu, Zhmoginov & Chen, "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018.

    Args:
        weights: "imagenet", a local weights file, or None for random ones.
        resize: how an image gets to 224 x 224.
    """
    model = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(224, 224, 3))
    return Backbone(
        name="mobilenet_v2",
        weights=load_weights(model, weights, _MOBILENET_V2),
        model=model,
        preprocess=Preprocess(224, mean=(127.5,) * 3, scale=(127.5,) * 3, resize=resize),
        stages=stages_by_prefix(model, _STAGES),
    )
