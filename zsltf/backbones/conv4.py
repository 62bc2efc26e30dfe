"""Conv4: the four-block network of the few-shot papers, trained from scratch."""

from pathlib import Path

import keras

from zsltf.checks import fail
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


def conv4(weights: str | Path | None = None, *, size: int = 84, resize: Resize = "stretch") -> Backbone:
    """Four blocks of a 3 x 3 convolution with 64 filters, BatchNorm, ReLU and 2 x 2 max-pooling; 64 features.

    Source: Vinyals et al., "Matching networks for one shot learning", NIPS 2016; Snell et al. 2017 use it likewise.

    Args:
        weights: a local weights file, or None for random ones; nobody publishes any.
        size: height and width in pixels: 84 for mini-ImageNet, 28 for Omniglot; at least 16.
        resize: how an image gets to size x size.
    """
    if size < 16:
        fail("conv4", "images of 16 pixels or more a side", str(size), "Take a larger size.")
    images = keras.Input((size, size, 3))
    x = images
    for i in range(1, 5):
        x = keras.layers.Conv2D(64, 3, padding="same", name=f"block{i}_conv")(x)
        x = keras.layers.BatchNormalization(name=f"block{i}_bn")(x)
        x = keras.layers.ReLU(name=f"block{i}_relu")(x)
        x = keras.layers.MaxPooling2D(name=f"block{i}_pool")(x)
    model = keras.Model(images, x, name="conv4")
    return Backbone(
        name="conv4",
        weights=load_weights(model, weights),
        model=model,
        preprocess=Preprocess(size, scale=(255.0,) * 3, resize=resize),
        stages=stages_by_prefix(model, FAMILY.stages),
    )
