"""Normalise hidden units across classes."""

from typing import Any, Literal, get_args

import keras

from zsltf.checks import check_choice

__all__ = ["ClassNormalization"]

By = Literal["deviation", "variance"]


@keras.saving.register_keras_serializable("zsltf")
class ClassNormalization(keras.layers.Layer):
    """Rows of class semantics (C, H), each column standardised over the classes; in inference by running statistics.

    Source: Skorokhodov & Elhoseiny, "Class normalization for (continual)? generalized zero-shot learning", ICLR 2021.
    There is neither a scale nor an offset.

    Args:
        momentum: share of the running statistics that a step keeps, in [0, 1).
        epsilon: added to the variance.
        by: what columns are divided by: "deviation", or "variance" as the authors' published code does.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, by: By = "deviation", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_choice("ClassNormalization.by", by, get_args(By))
        self.momentum, self.epsilon, self.by = momentum, epsilon, by

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape=shape, initializer="ones", trainable=False, name="variance")

    def call(self, rows: Any, training: bool = False) -> Any:
        ops, mean, variance = keras.ops, self.mean, self.variance
        if training:
            mean, variance = ops.moments(rows, axes=[0])
            self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * mean)
            self.variance.assign(self.momentum * self.variance + (1 - self.momentum) * variance)
        divisor = variance + self.epsilon
        return (rows - mean) / (ops.sqrt(divisor) if self.by == "deviation" else divisor)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "epsilon": self.epsilon, "by": self.by}
