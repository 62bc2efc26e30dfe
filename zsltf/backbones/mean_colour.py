"""Mean colour: three numbers an image, the floor that a real backbone must beat."""

import keras

from zsltf.data.decode import Resize
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import Family, Member
from zsltf.pretrained.weights import load_weights

__all__ = ["mean_colour"]

FAMILY = Family(source="none", stages=(), members={"mean_colour": Member(0, 32, 3)})  # parameters, pixels, features


def mean_colour(weights: str | None = None, *, resize: Resize = "stretch") -> Backbone:
    """The average red, green and blue of an image, in [0, 1].

    Args:
        weights: None or "random": there are none.
        resize: how an image gets to 32 x 32.
    """
    images = keras.Input((32, 32, 3))
    model = keras.Model(images, keras.layers.GlobalAveragePooling2D(keepdims=True)(images), name="mean_colour")
    return Backbone(
        name="mean_colour",
        weights=load_weights(model, weights),
        model=model,
        preprocess=Preprocess(32, scale=(255.0,) * 3, resize=resize),
        stages={},
    )
