"""Contrastive losses of images against the texts of their classes."""

from typing import Any

import keras
from keras import ops

from zsltf.losses.own_class import own_class

__all__ = ["InfoNCE", "SigLIP"]


@keras.saving.register_keras_serializable("zsltf")
class InfoNCE(keras.losses.Loss):
    """Softmax both ways: an image finds its class's text, and a text its class's images in the batch.

    An image's loss is the mean of both ways. Where several images of a batch belong to one text, it should find each.

    Source: Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021; several
    positives are treated as by Khosla et al., "Supervised contrastive learning", NeurIPS 2020.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels (B,) and scores (B, C), scaled cosines, to losses (B,)."""
        own = own_class(y_true, y_pred)
        to_text = -ops.sum(own * ops.log_softmax(y_pred, axis=-1), axis=-1)
        to_image = -ops.sum(own * ops.log_softmax(y_pred, axis=0), axis=-1)
        return (to_text + to_image) / 2


@keras.saving.register_keras_serializable("zsltf")
class SigLIP(keras.losses.Loss):
    """A yes or no for each pair of image and text, without a softmax over the batch.

    Scores should have a learned offset, for most pairs are a no.

    Source: Zhai, Mustafa, Kolesnikov & Beyer, "Sigmoid loss for language image pre-training", ICCV 2023.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels (B,) and scores (B, C) to losses (B,)."""
        sign = 2 * own_class(y_true, y_pred) - 1
        return ops.sum(ops.softplus(-sign * y_pred), axis=-1)
