"""Only an image's own class counts."""

from typing import Any

import keras
from keras import ops

from zsltf.losses.own_class import own_class

__all__ = ["OwnScore"]


@keras.saving.register_keras_serializable("zsltf")
class OwnScore(keras.losses.Loss):
    """Minus the score of the image's class: with `Distance`, its squared error, so that training is regression."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels (B,) and scores (B, C) to losses (B,)."""
        return -ops.sum(own_class(y_true, y_pred) * y_pred, axis=-1)
