"""One phase's Keras model: the frozen part runs as in inference, the rest trains on the sum of losses and penalties."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from zsltf.checks import check_share, fail
from zsltf.losses.pcgrad import project_in_order
from zsltf.losses.uncertainty import UncertaintyWeights
from zsltf.training.network import Network
from zsltf.training.penalties import Penalty
from zsltf.training.phases import Phase

__all__ = ["NOT_FINITE", "Objectives", "PhaseModel"]

NOT_FINITE = "the loss is not finite"
"""Part of the message with which TensorFlow stops a step."""


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """How the heads' losses become one."""

    label_smoothing: float = 0.0
    """Share of the probability that is spread over all classes, in [0, 1)."""
    task_weights: tuple[float, ...] = ()
    """One a head, in their order; by default all 1."""
    uncertainty: bool = False
    """Learn the weights (Kendall, Gal & Cipolla, CVPR 2018)."""
    pcgrad: bool = False
    """Project conflicting gradients of the heads onto each other's normal plane (Yu et al., NeurIPS 2020)."""

    def __post_init__(self) -> None:
        check_share("Objectives", label_smoothing=self.label_smoothing)
        if self.uncertainty and self.task_weights:
            fail("Objectives", "uncertainty or task_weights", "both", "Leave one out.")

    def weighting(self, num_heads: int) -> UncertaintyWeights | None:
        """The layer that learns the weights, if there is one.

        Raises:
            ValueError: if there are not as many task_weights as heads.
        """
        if self.task_weights and len(self.task_weights) != num_heads:
            fail("Objectives.task_weights", f"{num_heads} numbers, one a head", str(self.task_weights), "Add or drop.")
        return UncertaintyWeights(num_heads) if self.uncertainty else None


class PhaseModel(keras.Model):
    """Images, or activations at the cut, to one array of scores a head.

    Args:
        network: frozen for the phase already.
        phase: what trains.
        objectives: how losses are joined.
        penalties: R(theta) over the trained weights.
        weighting: learns the heads' weights.
        cached: whether the input are activations of the frozen part.
    """

    def __init__(
        self,
        network: Network,
        phase: Phase,
        objectives: Objectives,
        penalties: Sequence[Penalty],
        *,
        weighting: UncertaintyWeights | None,
        cached: bool,
    ) -> None:
        super().__init__(name="phase")
        self.lower, self.upper = network.cut(phase)
        self.phase, self.preprocess, self.cached = phase, network.backbone.preprocess, cached
        self.objectives, self.penalties = objectives, tuple(penalties)
        self.head_losses = [h.objective.loss(objectives.label_smoothing) for h in network.heads.values()]
        self.weighting, self.task_weights = weighting, objectives.task_weights or (1.0,) * len(network.heads)
        names = list(network.heads) if len(network.heads) > 1 else []  # one head's loss is the loss
        self.head_means = [keras.metrics.Mean(name=f"{name}_loss") for name in names]
        self.head_metrics = [
            [_prefixed(metric, name) if names else metric for metric in head.objective.metrics()]
            for name, head in network.heads.items()
        ]
        self.penalty_means = [keras.metrics.Mean(name=f"penalty_{penalty.name}") for penalty in penalties]
        self.built = True

    def call(self, x: Any, training: bool | None = None) -> Any:
        """One array of scores a head."""
        if not self.cached:
            x = self.preprocess.normalise(x)
            x = x if self.lower is None else self.lower(x, training=False)
        return keras.tree.flatten(self.upper(x, training=training))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted losses of the heads, in training with the penalties; a step without a finite one is stopped."""
        losses = self._loss_of_heads(y, y_pred, sample_weight)
        total = tf.add_n(self._weighted(losses)) + (self._penalty(tf.shape(x)[0]) if training else 0.0)
        return tf.debugging.check_numerics(total, NOT_FINITE)

    def train_step(self, data: Any) -> Any:
        """Keras' own, or with PCGrad one gradient a head."""
        if not self.objectives.pcgrad:
            return super().train_step(data)
        x, y, sample_weight = data
        with tf.GradientTape(persistent=True) as tape:
            scores = self(x, training=True)
            losses = self._weighted(self._loss_of_heads(y, scores, sample_weight))
            penalty = self._penalty(tf.shape(x)[0])
            *scaled, scaled_penalty = [self.optimizer.scale_loss(term) for term in (*losses, penalty)]
        total = tf.debugging.check_numerics(tf.add_n(losses) + penalty, NOT_FINITE)
        self._loss_tracker.update_state(total * _replicas(), sample_weight=tf.shape(x)[0])
        variables = self.trainable_variables
        sources = [variable.value for variable in variables]
        gradients = [_over_devices(tape.gradient(loss, sources)) for loss in scaled]
        drawn = tf.random.stateless_uniform((len(scaled),) * 2, (0, tf.cast(self.optimizer.iterations, tf.int32)))
        projected = project_in_order(gradients, tf.argsort(drawn, axis=1))  # another order at each step
        together = zip(projected, tape.gradient(scaled_penalty, sources), strict=True)
        shares = [(None if g is None else g / _replicas(), pull) for g, pull in together]
        summed = [g if pull is None else pull if g is None else g + pull for g, pull in shares]
        self.optimizer.apply_gradients(zip(summed, variables, strict=True))
        return self.compute_metrics(x, y, scores, sample_weight=sample_weight)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Each head's own metrics."""
        for metrics, target, score in zip(self.head_metrics, y, y_pred, strict=True):
            for metric in metrics:
                metric.update_state(target, score, sample_weight=sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Keras' own; the loss is that of the heads, the penalties stand beside it."""
        results = super().get_metrics_result()
        for penalty, mean in zip(self.penalties, self.penalty_means, strict=True):
            results["loss"] = results["loss"] - penalty.weight * results[mean.name]
        return results

    def _loss_of_heads(self, y: Any, scores: Any, sample_weight: Any) -> list[Any]:
        losses = [
            loss(target, score, sample_weight=sample_weight)
            for loss, target, score in zip(self.head_losses, y, scores, strict=True)
        ]
        for mean, loss in zip(self.head_means, losses, strict=False):
            mean.update_state(loss * _replicas(), sample_weight=tf.shape(y[0])[0])
        return losses

    def _weighted(self, losses: list[Any]) -> list[Any]:
        if self.weighting is not None:
            return [loss / _replicas() for loss in self.weighting([loss * _replicas() for loss in losses])]
        return [weight * loss for weight, loss in zip(self.task_weights, losses, strict=True)]

    def _penalty(self, batch_size: Any) -> Any:
        total = tf.zeros(())
        for penalty, mean in zip(self.penalties, self.penalty_means, strict=True):
            value = tf.cast(penalty.value(self.trainable_variables), tf.float32)
            mean.update_state(value, sample_weight=batch_size)
            total += penalty.weight * value / _replicas()
        return total


def _prefixed(metric: keras.metrics.Metric, head: str) -> keras.metrics.Metric:
    return type(metric).from_config({**metric.get_config(), "name": f"{head}_{metric.name}"})


def _over_devices(gradients: list[Any]) -> list[Any]:
    """Of the whole batch, on every device."""
    context = tf.distribute.get_replica_context()
    return [None if g is None else context.all_reduce(tf.distribute.ReduceOp.SUM, g) for g in gradients]


def _replicas() -> int:
    """How many devices a step's loss is shared among: each has its part of the mean."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)
