"""Reptile: start where the weights that tasks lead to are near."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import keras
import tensorflow as tf

from zsltf.checks import check_positive, fail
from zsltf.data.features import Features
from zsltf.training.embedded_learner import own_network
from zsltf.training.episode_batches import Batch, Update
from zsltf.training.episodic import EpisodicTrainer, EpisodicTraining
from zsltf.training.gradient_learner import GradientLearner, support_loss, zero_head
from zsltf.training.inner_loop import InnerLoop, descended

__all__ = ["Reptile", "reptile_update"]


@dataclass(frozen=True, kw_only=True)
class Reptile:
    """The network moves towards the mean of what a few steps of SGD on each task make of it.

    A task is an episode, of which support and queries are learnt from alike; each step sees other examples of it. The
    head starts from zeros, so that the number and the order of the ways are free (the paper's is trained on, and its
    steps are those of Adam without the first moment). Without a network nothing is trained.

    Source: Nichol, Achiam & Schulman, "On first-order meta-learning algorithms", arXiv 2018.
    """

    steps: int = 5
    """In training, >= 1 and at most as many as a class has shots and queries."""
    steps_at_use: int = 50
    """On the support of new classes, >= 1."""
    step_size: float = 0.1
    """Of the network's steps, > 0."""
    head_factor: float = 1.0
    """How many times as large the head's steps are, > 0: from zeros, it has further to go."""
    outer_step: float = 1.0
    """Share of the way to the mean, where training begins; it falls to 0 in equal steps."""
    training: EpisodicTraining = field(default_factory=EpisodicTraining)
    """Its learning_rate and halve_every have no part in this."""

    TRANSDUCTIVE: ClassVar[bool] = False
    NEEDS_NETWORK: ClassVar[bool] = True
    """To learn anything from base classes."""

    def __post_init__(self) -> None:
        check_positive("Reptile", steps=self.steps, steps_at_use=self.steps_at_use, step_size=self.step_size)
        check_positive("Reptile", outer_step=self.outer_step, head_factor=self.head_factor)
        examples = self.training.shots + self.training.queries
        if examples < self.steps:
            received = f"{self.training.shots} + {self.training.queries}"
            fail("Reptile.training", f"{self.steps} shots and queries, one a step", received, "Take fewer steps.")

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> GradientLearner:
        """Train a copy of the network, and the head's row; see FewShotMethod."""
        body = own_network("Reptile", base, network)
        inner = InnerLoop(steps=self.steps_at_use, step_size=self.step_size)
        learner = GradientLearner(
            method="Reptile", body=body, head=zero_head, inner=inner, adapts_body=True, head_factor=self.head_factor
        )
        if body.trainable_variables:
            trainer = EpisodicTrainer(learner.logits, body.trainable_variables, self.training, base, validation)
            advice = f"Lower Reptile.step_size, which is {self.step_size:g}."
            trainer.run(reptile_update(learner, self.training, self.steps, self.outer_step), advice)
        return learner


def reptile_update(learner: GradientLearner, training: EpisodicTraining, steps: int, outer_step: float) -> Update:
    """A step towards the mean of the adapted weights, and the mean loss of the examples of the last inner step.

    Args:
        learner: whose body is trained.
        training: its length, and the shape of its episodes.
        steps: of the inner loop.
        outer_step: share of the way at first; it falls to 0 by the training's end.
    """
    variables = learner.body.trainable_variables
    inner = replace(learner.inner, steps=steps, first_order=True)
    signature = [tf.TensorSpec((), tf.float32), *(tf.TensorSpec(variable.shape, tf.float32) for variable in variables)]

    def adapted(parts: Any) -> list[Any]:
        """Examples (steps, ways, n, ...) to the last loss and the weights."""
        y = tf.repeat(tf.range(training.ways), parts.shape[2])[None]
        parts = tf.reshape(parts, (steps, 1, -1, *parts.shape[3:]))

        def loss(step: Any, now: Any) -> Any:
            *body, kernel, bias = now
            return support_loss(learner.embedded(body, parts[step]) @ kernel + bias, y, tf.ones(tf.shape(y)))

        start = [tf.convert_to_tensor(variable) for variable in variables]
        head = learner.head(learner.embedded(start, parts[0]), y, training.ways)
        found = descended(loss, [*start, *head], inner, learner.factors(len(start) + 2))
        return [loss(steps - 1, found), *found[:-2]]

    def update(step: Any, batch: Batch) -> Any:
        losses, *weights = tf.map_fn(adapted, _parts(batch, training, steps), fn_output_signature=signature)
        rate = outer_step * (1 - tf.cast(step, tf.float32) / training.steps)
        for variable, found in zip(variables, weights, strict=True):
            variable.assign_add(rate * (tf.reduce_mean(found, axis=0) - variable))
        return tf.reduce_mean(losses)

    return update


def _parts(batch: Batch, training: EpisodicTraining, steps: int) -> Any:
    """Support and queries of each way, shared out to the inner steps: (E, steps, ways, n, ...)."""
    shape, n = batch.support.shape[2:], (training.shots + training.queries) // steps
    mixed = [
        tf.reshape(examples, (training.episodes, training.ways, count, *shape))
        for examples, count in ((batch.support, training.shots), (batch.query, training.queries))
    ]
    used = tf.concat(mixed, axis=2)[:, :, : steps * n]
    parts = tf.reshape(used, (training.episodes, training.ways, steps, n, *shape))
    return tf.einsum("ews...->esw...", parts)
