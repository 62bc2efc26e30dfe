"""A backbone for images of another size."""

from dataclasses import replace

import keras

from zsltf.checks import check_positive, fail
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone

__all__ = ["resized"]


def resized(backbone: Backbone, size: int) -> Backbone:
    """The same layers and weights for images of size x size: smaller ones are faster, at some cost in accuracy.

    Args:
        backbone: is left as it is.
        size: height and width in pixels.

    Raises:
        ValueError: if they are too few, or a layer takes images of one size only.
    """
    check_positive(backbone.name, size=size)
    try:
        images = keras.Input((size, size, 3))
        model = keras.models.clone_model(backbone.model, input_tensors=images, clone_function=_copied)
        model.set_weights(backbone.model.get_weights())
    except ValueError:
        fail(backbone.name, "images of a size that its layers take", f"{size} pixels", "Take another size, or none.")
    preprocess = Preprocess.from_config({**backbone.preprocess.get_config(), "size": size})
    return replace(backbone, model=model, preprocess=preprocess)


def _copied(layer: keras.layers.Layer) -> keras.layers.Layer:
    if isinstance(layer, keras.Sequential):  # ConvNeXt's stem, whose own config would keep its input's size
        return keras.Sequential([_copied(inner) for inner in layer.layers], name=layer.name)
    return type(layer).from_config(layer.get_config())
