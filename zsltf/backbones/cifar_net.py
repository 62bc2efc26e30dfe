"""CifarNet: two convolutions and two dense layers for images of 32 pixels, trained from scratch."""

from pathlib import Path

import keras

from zsltf.data.decode import Resize
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, stages_by_prefix
from zsltf.pretrained.catalogue import Family, Member
from zsltf.pretrained.weights import load_weights

__all__ = ["cifar_net"]

FAMILY = Family(
    source="none",
    stages=("conv1", "conv2", "dense1", "dense2"),
    members={"cifar_net": Member(34_155_904, 32, 512)},  # parameters, pixels, features
)


def cifar_net(weights: str | Path | None = "random", *, resize: Resize = "stretch") -> Backbone:
    """3 x 3 convolutions with 64 and 128 filters, 2 x 2 max-pooling, dense layers of 1024 and 512 units, dropout.

    The first dense layer takes 128 x 16 x 16 numbers, for one pooling halves 32 pixels once; 128 x 8 x 8, which is also
    found for such a net, would take two.

    Args:
        weights: a local weights file, or "random"; nobody publishes any.
        resize: how an image gets to 32 x 32.
    """
    layers = keras.layers
    images = keras.Input((32, 32, 3))
    x = layers.Conv2D(64, 3, padding="same", activation="relu", name="conv1")(images)
    x = layers.Conv2D(128, 3, padding="same", activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(name="conv2_pool")(x)
    x = layers.SpatialDropout2D(0.25, name="conv2_dropout")(x)
    x = layers.Flatten(name="flatten")(x)  # (B, 16 * 16 * 128)
    x = layers.Dense(1024, activation="relu", name="dense1")(x)
    x = layers.Dense(512, activation="relu", name="dense2")(x)
    x = layers.Dropout(0.5, name="dense2_dropout")(x)
    x = layers.Reshape((1, 1, 512), name="maps")(x)
    model = keras.Model(images, x, name="cifar_net")
    return Backbone(
        name="cifar_net",
        weights=load_weights(model, weights),
        model=model,
        preprocess=Preprocess(32, mean=(127.5,) * 3, scale=(127.5,) * 3, resize=resize),  # 0.5 of 255, twice
        stages=stages_by_prefix(model, FAMILY.stages),
    )
