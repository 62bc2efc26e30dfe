"""The votes of several members, each for its best class."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

__all__ = ["WeightedVote"]


@keras.saving.register_keras_serializable("zsltf")
class WeightedVote(keras.layers.Layer):
    """Scores of L members side by side (B, L C) to the sum of the weights of those that each class is best for (B, C).

    Args:
        weights: of the members, L numbers.
    """

    def __init__(self, weights: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.weights_of_members = tuple(map(float, weights))

    def call(self, x: Any) -> Any:
        members = len(self.weights_of_members)
        scores = keras.ops.reshape(x, (-1, members, x.shape[-1] // members))
        best = tf.argmax(scores, axis=2)  # that of Keras has no TFLite and no ONNX
        votes = tf.one_hot(best, scores.shape[-1], dtype=x.dtype)
        return keras.ops.einsum("blc,l->bc", votes, keras.ops.convert_to_tensor(self.weights_of_members, x.dtype))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        return input_shape[0], input_shape[-1] // len(self.weights_of_members)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weights": self.weights_of_members}
