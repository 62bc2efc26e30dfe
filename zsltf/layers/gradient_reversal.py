"""Gradient reversal: the identity forwards, a negative multiple of the gradient backwards."""

from typing import Any

import keras

__all__ = ["GradientReversal"]


@keras.saving.register_keras_serializable("zsltf")
class GradientReversal(keras.layers.Layer):
    """x, bit for bit; its gradient is -strength times what comes from above.

    `strength` is a weight that training leaves alone, so that a schedule can assign it while a compiled step runs.

    Source: Ganin & Lempitsky, "Unsupervised domain adaptation by backpropagation", ICML 2015.

    Args:
        strength: that it starts with; 0 stops the gradient.
    """

    def __init__(self, strength: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        start = keras.initializers.Constant(strength)
        self.strength = self.add_weight(shape=(), initializer=start, trainable=False, name="strength")

    def call(self, x: Any) -> Any:
        still = keras.ops.stop_gradient(x)
        return still - keras.ops.cast(self.strength, x.dtype) * (x - still)  # x - x is 0: the value is x itself

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strength": float(keras.ops.convert_to_numpy(self.strength))}
