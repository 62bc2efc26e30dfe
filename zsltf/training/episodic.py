"""The one trainer of everything episodic: Adam on the queries of drawn episodes, in a compiled loop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from zsltf.checks import check_positive, check_seed, fail
from zsltf.data.episodes import Episodes
from zsltf.data.features import Features
from zsltf.training.episode_batches import (
    Batch,
    Logits,
    Update,
    compiled_scores,
    compiled_steps,
    episode_rows,
    query_loss,
)
from zsltf.training.fused_adam import FusedAdam

__all__ = ["EpisodicTrainer", "EpisodicTraining", "adam_update", "train_episodes"]

_ADVICE = "Lower training.learning_rate."
_STEPS_A_CALL = 50


@dataclass(frozen=True, kw_only=True)
class EpisodicTraining:
    """Steps on episodes of base classes; the step that is best on validation classes is kept.

    Source: Vinyals et al., "Matching networks for one shot learning", NIPS 2016; a rate that is halved again and again
    after Snell, Swersky & Zemel, "Prototypical networks for few-shot learning", NIPS 2017.

    Raises:
        ValueError: if a number is too small.
    """

    steps: int = 1000
    """>= 1."""
    episodes: int = 4
    """A step, >= 1."""
    ways: int = 5
    """Classes an episode, >= 2."""
    shots: int = 5
    """Support examples a class, >= 1."""
    queries: int = 10
    """Queries a class, >= 1."""
    learning_rate: float = 1e-3
    """> 0."""
    halve_every: int | None = None
    """Steps after which the learning rate is halved, again and again; by default it stays."""
    validate_every: int = 100
    """Steps, >= 1; the weights that training starts from are validated as well."""
    validation_episodes: int = 200
    """The same ones each time; of as many ways, or of all classes where validation has fewer."""
    seed: int = 0
    """Of the episodes, and of the weights that a method adds."""

    def __post_init__(self) -> None:
        counts = ("steps", "episodes", "learning_rate", "validate_every", "validation_episodes")
        check_positive("EpisodicTraining", **{name: getattr(self, name) for name in counts})
        if self.halve_every is not None:
            check_positive("EpisodicTraining", halve_every=self.halve_every)
        check_seed("EpisodicTraining", self.seed)
        self.sampler(self.ways)

    def sampler(self, classes: int) -> Episodes:
        """How episodes are drawn from a set of so many classes."""
        return Episodes(ways=min(self.ways, classes), shots=self.shots, queries=self.queries)


def train_episodes(
    logits: Logits,
    variables: Sequence[Any],
    training: EpisodicTraining,
    base: Features,
    validation: Features | None = None,
    *,
    advice: str = _ADVICE,
) -> dict[int, float]:
    """Minimise the cross-entropy of queries by Adam, and leave the best step's values in the variables.

    Args:
        logits: scores of queries; they depend on the variables.
        variables: Keras variables that are trained.
        training: how many steps, of which episodes.
        base: examples of base classes.
        validation: examples of other classes; without them the last step is kept.
        advice: what to do where the loss is not finite.

    Returns:
        Steps taken -> accuracy on validation episodes then.

    Raises:
        ValueError: before anything is compiled if base or validation has too few classes or examples, or they share
            classes; later if the loss is not finite.
    """
    return EpisodicTrainer(logits, variables, training, base, validation).run(advice=advice)


class EpisodicTrainer:
    """`train_episodes` in two parts: the checks, and, when other training is done, the steps."""

    def __init__(
        self,
        logits: Logits,
        variables: Sequence[Any],
        training: EpisodicTraining,
        base: Features,
        validation: Features | None,
    ) -> None:
        if not variables:
            fail("training on episodes", "weights to train", "none", "Give a network, and set it trainable.")
        self._logits, self._variables, self._training = logits, list(variables), training
        self._base = base.whole("base")
        self._sampler = training.sampler(training.ways)
        (self._like,) = self._sampler.draw(self._base.y, 1)  # which says what is missing
        self._held_out = None if validation is None else _HeldOut(logits, training, _apart(self._base, validation))

    def run(self, update: Update | None = None, advice: str = _ADVICE) -> dict[int, float]:
        """Take the training's steps, by this update if not by Adam; returns and raises what `train_episodes` does."""
        update = update or adam_update(self._logits, self._variables, self._training)
        steps = compiled_steps(update, self._training.episodes, self._like, self._base.x)
        x = tf.convert_to_tensor(self._base.x)
        reached: dict[int, float] = {}
        best = self._validated(0, reached, self._values())
        for first, count in self._calls():
            losses = steps(x, *self._draw(first, count), tf.constant(first)).numpy()
            if not np.isfinite(losses).all():
                step = int(np.isfinite(losses).argmin())
                fail("training on episodes", "a finite loss", f"{losses[step]:g} in step {first + step + 1}", advice)
            best = self._validated(first + count, reached, best)
        for variable, value in zip(self._variables, best, strict=True):
            variable.assign(value)
        return reached

    def _calls(self) -> Iterator[tuple[int, int]]:
        """First step and number of steps of each call of the graph; none goes past a validation."""
        first, steps, every = 0, self._training.steps, self._training.validate_every
        while first < steps:
            count = min(_STEPS_A_CALL, steps - first, every - first % every)
            yield first, count
            first += count

    def _draw(self, first: int, count: int) -> list[Any]:
        size = self._training.episodes
        drawn = self._sampler.draw(self._base.y, count * size, seed=self._training.seed, first=first * size)
        return [tf.reshape(rows, (count, size, -1)) for rows in episode_rows(drawn)]

    def _validated(self, step: int, reached: dict[int, float], best: list[np.ndarray]) -> list[np.ndarray]:
        """The values to keep: the present ones unless an earlier step was as good on validation classes."""
        if self._held_out is None:
            return self._values()
        if step % self._training.validate_every and step < self._training.steps:
            return best
        before = max(reached.values(), default=-1.0)
        reached[step] = self._held_out.accuracy()
        return self._values() if reached[step] > before else best

    def _values(self) -> list[np.ndarray]:
        return [variable.numpy() for variable in self._variables]


class _HeldOut:
    """The fixed episodes of validation classes."""

    def __init__(self, logits: Logits, training: EpisodicTraining, data: Features) -> None:
        self._x, self._size = data.x, training.episodes
        sampler = training.sampler(len(np.unique(data.y)))
        self._drawn = sampler.draw(data.y, training.validation_episodes, seed=training.seed)
        self._scores = compiled_scores(logits, self._drawn[0], data.x)

    def accuracy(self) -> float:
        """Share of the queries that are right."""
        right = sum(self._right(start) for start in range(0, len(self._drawn), self._size))
        return right / sum(len(one.query) for one in self._drawn)

    def _right(self, start: int) -> float:
        support, support_y, query, query_y = episode_rows(self._drawn[start : start + self._size])
        examples = [tf.constant(self._x[rows], tf.float32) for rows in (support, query)]
        scores = self._scores(examples[0], tf.constant(support_y), examples[1])
        return float((scores.numpy().argmax(axis=2) == query_y).sum())


def adam_update(logits: Logits, variables: Sequence[Any], training: EpisodicTraining) -> Update:
    """A step of Adam on the cross-entropy of the queries."""
    optimizer = FusedAdam()
    optimizer.build(variables)

    def update(step: Any, batch: Batch) -> Any:
        halvings = step // training.halve_every if training.halve_every else 0
        optimizer.learning_rate = training.learning_rate * tf.pow(0.5, tf.cast(halvings, tf.float32))
        with tf.GradientTape() as tape:
            loss = query_loss(logits, batch, training.ways)
        optimizer.apply(tape.gradient(loss, list(variables), unconnected_gradients="zero"))
        return loss

    return update


def _apart(base: Features, validation: Features) -> Features:
    shared = np.intersect1d(base.y, validation.y)
    if len(shared):
        received = f"{len(shared)} of base: {', '.join(map(str, shared[:5]))}"
        fail("validation", "classes that base does not have", received, "Hold classes out.")
    return validation.whole("validation")
