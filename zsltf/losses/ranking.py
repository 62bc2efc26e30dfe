"""Ranking losses: an image's class should outscore the others by a margin."""

from typing import Any

import keras
from keras import ops

from zsltf.checks import check_positive
from zsltf.losses.own_class import own_class

__all__ = ["MaxHinge", "RankedHinge", "SumHinge"]


@keras.saving.register_keras_serializable("zsltf")
class SumHinge(keras.losses.Loss):
    """The sum of all violations (DeViSE).

    Source: Frome et al., "DeViSE: a deep visual-semantic embedding model", NeurIPS 2013.

    Args:
        margin: by which scores should differ, > 0, in score units.
        name: of the loss.
        kwargs: of keras.losses.Loss.

    Raises:
        ValueError: if the margin is not positive.
    """

    def __init__(self, margin: float = 1.0, name: str = "sum_hinge", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        check_positive(type(self).__name__, margin=margin)
        self.margin = margin

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels (B,) and scores (B, C) to losses (B,)."""
        return ops.sum(self.violations(y_true, y_pred), axis=-1)

    def violations(self, y_true: Any, y_pred: Any) -> Any:
        """max(0, margin + score - own score) (B, C), 0 for the own class."""
        own = own_class(y_true, y_pred)
        score = ops.sum(own * y_pred, axis=-1, keepdims=True)
        return (1 - own) * ops.relu(self.margin + y_pred - score)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "margin": self.margin}


@keras.saving.register_keras_serializable("zsltf")
class MaxHinge(SumHinge):
    """The largest violation (SJE, a structured support vector machine).

    Source: Akata, Reed, Walter, Lee & Schiele, "Evaluation of output embeddings for fine-grained image classification",
    CVPR 2015.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels (B,) and scores (B, C) to losses (B,)."""
        return ops.max(self.violations(y_true, y_pred), axis=-1)


@keras.saving.register_keras_serializable("zsltf")
class RankedHinge(SumHinge):
    """All violations, weighted so that the first ranks count most (ALE).

    With r violations, their sum times (1 + 1/2 + ... + 1/r) / r; the weight has no gradient.

    Source: Akata, Perronnin, Harchaoui & Schmid, "Label-embedding for image classification", TPAMI 2016, with the exact
    rank in place of the sampled one.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels (B,) and scores (B, C) to losses (B,)."""
        violations = self.violations(y_true, y_pred)
        count = ops.shape(y_pred)[-1]
        harmonic = ops.cumsum(1 / ops.cast(ops.arange(1, count + 1), y_pred.dtype))
        rank = ops.sum(ops.cast(violations > 0, "int32"), axis=-1)
        weight = ops.take(harmonic, ops.maximum(rank - 1, 0)) / ops.cast(ops.maximum(rank, 1), y_pred.dtype)
        return ops.stop_gradient(weight) * ops.sum(violations, axis=-1)
