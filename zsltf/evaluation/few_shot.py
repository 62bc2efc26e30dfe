"""Few-shot methods on the same episodes: accuracy with its interval, and how far one is above another."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.checks import check_positive, fail
from zsltf.data.episodes import Episode, Episodes
from zsltf.data.features import Features
from zsltf.data.few_shot_sets import FewShotSets
from zsltf.metrics.intervals import class_interval, paired_interval
from zsltf.protocols import BaseFreeMethod, FewShotLearner, FewShotMethod
from zsltf.training.episode_batches import episode_rows

__all__ = [
    "FewShotOutcome",
    "FewShotProtocol",
    "MethodOutcome",
    "episode_accuracies",
    "episodes_digest",
    "learn",
    "run_few_shot",
]

_NUMBERS = 2**24  # of examples that are scored in one call
FEWEST = 600
"""Episodes below which an interval says little; a report says so."""


@dataclass(frozen=True, kw_only=True)
class FewShotProtocol:
    """Which episodes; the same settings give the same list, for every method.

    Source: Vinyals et al., "Matching networks for one shot learning", NIPS 2016 (episodes); Chen, Liu, Kira, Wang &
    Huang, "A closer look at few-shot classification", ICLR 2019 (600 of them, with a 95 % interval).
    """

    episodes: Episodes = field(default_factory=Episodes)
    count: int = 600
    """Episodes, >= 2."""
    seed: int = 0
    """Of the list."""

    def __post_init__(self) -> None:
        check_positive("FewShotProtocol", count=self.count)
        if self.seed < 0:
            fail("FewShotProtocol.seed", "0 or more", str(self.seed), "Start from the default.")

    def draw(self, novel: Features) -> list[Episode]:
        """The list."""
        return self.episodes.draw(novel.y, self.count, seed=self.seed)


@dataclass(frozen=True, kw_only=True, eq=False)
class MethodOutcome:
    """What a method reached."""

    learner: FewShotLearner
    accuracies: Float[np.ndarray, " E"]
    """Share of each episode's queries that are right."""

    @property
    def mean(self) -> float:
        """Over episodes."""
        return float(self.accuracies.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Student's 95 % interval over episodes of these classes."""
        return class_interval(self.accuracies)

    def above(self, other: "MethodOutcome") -> tuple[float, tuple[float, float]]:
        """Mean difference in accuracy to another method on the same episodes, and its 95 % interval."""
        return self.mean - other.mean, paired_interval(self.accuracies, other.accuracies)


@dataclass(frozen=True, kw_only=True, eq=False)
class FewShotOutcome:
    """Every method on one list of episodes."""

    protocol: str
    """With base classes apart, or without base classes."""
    digest: str
    """Of the list of episodes: outcomes of another can't be compared pair by pair."""
    methods: Mapping[str, MethodOutcome]
    """By name, in the order given."""


def run_few_shot(methods: Mapping[str, FewShotMethod], sets: FewShotSets, protocol: FewShotProtocol) -> FewShotOutcome:
    """Have every method learn from the base classes, then meet the same episodes of novel classes.

    Args:
        methods: by name.
        sets: features, vectors.
        protocol: which episodes.

    Raises:
        ValueError: before anything is learned, if classes or examples are too few, or a method needs base classes.
    """
    sets.check_enough(protocol.episodes)
    if sets.base is None:
        for name, method in methods.items():
            _check_free(name, method)
    episodes = protocol.draw(sets.novel)
    found = {}
    for name, method in methods.items():
        learner = learn(method, sets)
        found[name] = MethodOutcome(learner=learner, accuracies=episode_accuracies(learner, sets.novel.x, episodes))
    return FewShotOutcome(protocol=sets.protocol, digest=episodes_digest(episodes), methods=found)


def learn(method: FewShotMethod, sets: FewShotSets) -> FewShotLearner:
    """From the base classes, or without, where there are none."""
    if sets.base is not None:
        return method.learn(sets.base, validation=sets.validation)
    return _check_free(type(method).__name__, method).without_base()


def episode_accuracies(
    learner: FewShotLearner, x: Float[np.ndarray, "N D"], episodes: Sequence[Episode]
) -> Float[np.ndarray, " E"]:
    """Share of each episode's queries that are right, many episodes a call of a compiled function.

    Args:
        learner: to test.
        x: examples, of which the episodes name rows.
        episodes: of any ways and shots; those of one shape are scored together.
    """
    examples = tf.constant(np.asarray(x, np.float32))

    @tf.function(autograph=False, reduce_retracing=True)
    def answers(support: Any, support_y: Any, query: Any, ways: int) -> Any:
        scores = learner.logits(tf.gather(examples, support), support_y, tf.gather(examples, query), ways)
        return tf.argmax(scores, axis=-1, output_type=tf.int32)

    reached = np.empty(len(episodes))
    for ways, rows in _alike(episodes, x[0].size):
        batch = [episodes[row] for row in rows]
        support, support_y, query, query_y = episode_rows(batch)
        given = answers(tf.constant(support), tf.constant(support_y), tf.constant(query), ways).numpy()
        reached[rows] = (given == query_y).mean(axis=1)
    return reached


def _alike(episodes: Sequence[Episode], width: int) -> list[tuple[int, list[int]]]:
    """Ways, and numbers of episodes of one shape: all batches of a shape are of one size, the last one repeats some."""
    shapes: dict[tuple[int, int, int], list[int]] = {}
    for number, one in enumerate(episodes):
        shapes.setdefault((one.ways, len(one.support), len(one.query)), []).append(number)
    batches = []
    for (ways, support, query), numbers in shapes.items():
        size = min(len(numbers), max(1, _NUMBERS // ((support + query) * width)))
        padded = numbers + numbers[: -len(numbers) % size]
        batches += [(ways, padded[start : start + size]) for start in range(0, len(numbers), size)]
    return batches


def _check_free(name: str, method: FewShotMethod) -> BaseFreeMethod:
    if not isinstance(method, BaseFreeMethod):
        fix = "Leave some classes to it (--base), or take a method that learns nothing from them: simple-shot."
        fail(name, "base classes to learn from", "none", fix)
    return method


def episodes_digest(episodes: Sequence[Episode]) -> str:
    """Sha-256 of classes, support and queries, 16 digits."""
    digest = hashlib.sha256()
    for one in episodes:
        for rows in (one.classes, one.support, one.support_y, one.query, one.query_y):
            digest.update(np.asarray(rows, "<i8").tobytes() + b"|")
    return digest.hexdigest()[:16]
