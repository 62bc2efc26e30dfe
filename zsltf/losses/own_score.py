"""Only an image's own class counts."""

from typing import Any

import keras
from keras import ops

__all__ = ["OwnScore"]


@keras.saving.register_keras_serializable("zsltf")
class OwnScore(keras.losses.Loss):
    """Minus the score of the image's class: with `Distance`, its squared error, so that training is regression."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels (B,) and scores (B, C) to losses (B,)."""
        own = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), ops.shape(y_pred)[-1], dtype=y_pred.dtype)
        return -ops.sum(own * y_pred, axis=-1)
