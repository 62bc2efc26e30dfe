"""Weights of several tasks' losses, learned with the tasks."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zsltf.checks import check_positive

__all__ = ["UncertaintyWeights"]


@keras.saving.register_keras_serializable("zsltf")
class UncertaintyWeights(keras.layers.Layer):
    """Each loss L_k becomes L_k exp(-s_k) + s_k, with a trained log-variance s_k that begins at 0.

    The sum is smallest at s_k = log L_k: a task counts by its loss in proportion to what that has come down to. Losses
    have to be positive.

    Source: Kendall, Gal & Cipolla, "Multi-task learning using uncertainty to weigh losses for scene geometry and
    semantics", CVPR 2018; theirs is half of this for a regression, and L_k exp(-s_k) + s_k / 2 for a classification.

    Args:
        num_tasks: how many losses there are.
        name: of the layer; the paths of its variable begin with it.
    """

    def __init__(self, num_tasks: int, name: str = "uncertainty_weights", **kwargs: Any) -> None:
        super().__init__(name=name, **{**kwargs, "dtype": "float32"})
        check_positive("UncertaintyWeights", num_tasks=num_tasks)
        self.num_tasks = num_tasks
        self.log_variance = self.add_weight(shape=(num_tasks,), initializer="zeros", name="log_variance")
        self.built = True

    def call(self, losses: Sequence[Any]) -> list[Any]:
        """The weighted losses, in the same order."""
        each = zip(losses, ops.unstack(self.log_variance, self.num_tasks), strict=True)
        return [loss * ops.exp(-s) + s for loss, s in each]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "num_tasks": self.num_tasks}
