"""Train the weights that a GradientLearner starts from, by what its adapted weights do on queries."""

from dataclasses import replace

from zsltf.data.features import Features
from zsltf.training.episodic import EpisodicTrainer, EpisodicTraining, adam_update
from zsltf.training.gradient_learner import GradientLearner

__all__ = ["train_by_gradients"]


def train_by_gradients(
    learner: GradientLearner,
    steps_at_use: int,
    training: EpisodicTraining,
    base: Features,
    validation: Features | None,
) -> GradientLearner:
    """The learner with so many steps at use, by which validation judges; it and the other one share their weights.

    A body without weights has nothing to learn.

    Raises:
        ValueError: what `train_episodes` raises.
    """
    used = replace(learner, inner=replace(learner.inner, steps=steps_at_use))
    variables = learner.body.trainable_variables
    if not variables:
        return used
    trainer = EpisodicTrainer(used.logits, variables, training, base, validation)
    advice = f"Lower {learner.method}.step_size, which is {learner.inner.step_size:g}, or training.learning_rate."
    trainer.run(adam_update(learner.logits, variables, training), advice)
    return used
