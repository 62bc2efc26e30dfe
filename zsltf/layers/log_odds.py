"""Probabilities to how much they say."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

__all__ = ["LogOdds"]


@keras.saving.register_keras_serializable("zsltf")
class LogOdds(keras.layers.Layer):
    """logit(p) - logit(prior) over the last axis, in float32.

    Args:
        prior: of each column, in (0, 1), or of all of them.
        margin: probabilities are kept this far from 0 and 1.
    """

    def __init__(self, prior: float | Sequence[float] = 0.5, *, margin: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.prior, self.margin = prior, margin

    def call(self, p: Any) -> Any:
        p, prior = keras.ops.clip(p, self.margin, 1 - self.margin), np.asarray(self.prior)
        return keras.ops.log(p / (1 - p)) - np.log(prior / (1 - prior)).astype(np.float32)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "prior": self.prior, "margin": self.margin}
