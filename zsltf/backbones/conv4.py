"""Conv4: the four-block network of the few-shot papers, trained from scratch."""

from pathlib import Path
from typing import Any, Literal, get_args

import keras

from zsltf.checks import check_choice, fail
from zsltf.data.decode import Resize
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, stages_by_prefix
from zsltf.pretrained.catalogue import Family, Member
from zsltf.pretrained.weights import load_weights

__all__ = ["conv4"]

FAMILY = Family(
    source="none",
    stages=("block1", "block2", "block3", "block4"),
    members={"conv4": Member(113_600, 84, 64)},  # parameters, pixels, features
)


Normalization = Literal["batch", "group"]
Downsampling = Literal["pool", "stride"]
_GROUPS = 8


def conv4(
    weights: str | Path | None = None,
    *,
    size: int = 84,
    resize: Resize = "stretch",
    filters: int = 64,
    normalization: Normalization = "batch",
    downsampling: Downsampling = "pool",
) -> Backbone:
    """Four blocks of a 3 x 3 convolution with 64 filters, BatchNorm, ReLU and 2 x 2 max-pooling; 64 features.

    Source: Vinyals et al., "Matching networks for one shot learning", NIPS 2016; Snell et al. 2017 use it likewise;
    strides for Omniglot after Finn et al. 2017; Wu & He, "Group normalization", ECCV 2018.

    Args:
        weights: a local weights file, or None for random ones; nobody publishes any.
        size: height and width in pixels: 84 for mini-ImageNet, 28 for Omniglot; at least 16.
        resize: how an image gets to size x size.
        filters: of each convolution, and features.
        normalization: "group" takes the statistics of one image, in 8 groups of filters: an image alone scores as in a
            batch, in training as well.
        downsampling: "stride" leaves the pooling out, and every convolution moves by 2: a fifth of the time.
    """
    if size < 16:
        fail("conv4", "images of 16 pixels or more a side", str(size), "Take a larger size.")
    if filters < 1 or filters % _GROUPS:
        fail("conv4.filters", f"a multiple of {_GROUPS}", str(filters), "Take 32 or 64.")
    check_choice("conv4.normalization", normalization, get_args(Normalization))
    check_choice("conv4.downsampling", downsampling, get_args(Downsampling))
    images = keras.Input((size, size, 3))
    x, strides = images, 2 if downsampling == "stride" else 1
    for i in range(1, 5):
        x = keras.layers.Conv2D(filters, 3, strides, padding="same", name=f"block{i}_conv")(x)
        x = _normalised(x, normalization, f"block{i}")
        x = keras.layers.ReLU(name=f"block{i}_relu")(x)
        if downsampling == "pool":
            x = keras.layers.MaxPooling2D(name=f"block{i}_pool")(x)
    model = keras.Model(images, x, name="conv4")
    return Backbone(
        name="conv4",
        weights=load_weights(model, weights),
        model=model,
        preprocess=Preprocess(size, scale=(255.0,) * 3, resize=resize),
        stages=stages_by_prefix(model, FAMILY.stages),
    )


def _normalised(x: Any, normalization: Normalization, block: str) -> Any:
    if normalization == "group":
        return keras.layers.GroupNormalization(_GROUPS, name=f"{block}_gn")(x)
    return keras.layers.BatchNormalization(name=f"{block}_bn")(x)
