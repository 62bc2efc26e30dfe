"""Episodes scored by a few-shot learner, many in a call of a compiled function."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Float, Int

from zsltf.checks import fail
from zsltf.data.episodes import Episode
from zsltf.protocols import FewShotLearner
from zsltf.training.episode_batches import episode_rows

__all__ = ["class_accuracies", "episode_accuracies", "episode_answers", "episodes_digest"]

_NUMBERS = 2**21  # of examples that are scored in one call: they stay in the cache
_Shape = tuple[int | None, int | None]


def episode_answers(
    learner: FewShotLearner, x: Float[np.ndarray, "N D"], episodes: Sequence[Episode]
) -> list[Int[np.ndarray, " Q"]]:
    """The way that each episode's queries are taken for, many episodes a call of a compiled function.

    Args:
        learner: to test.
        x: examples, of which the episodes name rows.
        episodes: of any ways and shots; those of one shape are scored together.

    Raises:
        ValueError: if a score is not finite.
    """
    examples, compiled = tf.constant(np.asarray(x, np.float32)), {}
    found: dict[int, np.ndarray] = {}
    for ways, rows, shapes in _alike(episodes, x[0].size):
        support, support_y, query, _ = episode_rows([episodes[row] for row in rows])
        if (ways, *shapes) not in compiled:
            compiled[ways, *shapes] = _compiled(learner, examples, ways, shapes)
        given = compiled[ways, *shapes](*map(tf.constant, (support, support_y, query))).numpy()
        found.update(zip(rows, given, strict=True))
    unknown = sum((answers < 0).any() for answers in found.values())
    if unknown:
        received = f"others in {unknown} of {len(episodes)} episodes"
        fail(type(learner).__name__, "finite scores", received, "Scale the features down, or lower a step size.")
    return [found[number] for number in range(len(episodes))]


def _compiled(learner: FewShotLearner, examples: Any, ways: int, shapes: tuple[_Shape, _Shape]) -> Callable[..., Any]:
    """Rows and ways of the support, and rows of queries, to answers."""
    support, query = (tf.TensorSpec(shape, tf.int32) for shape in shapes)

    def answers(support: Any, support_y: Any, query: Any) -> Any:
        scores = learner.logits(tf.gather(examples, support), support_y, tf.gather(examples, query), ways)
        finite = tf.reduce_all(tf.math.is_finite(scores), axis=-1)
        return tf.where(finite, tf.argmax(scores, axis=-1, output_type=tf.int32), -1)

    return tf.function(answers, autograph=False).get_concrete_function(support, support, query)


def episode_accuracies(answers: Sequence[np.ndarray], episodes: Sequence[Episode]) -> Float[np.ndarray, " E"]:
    """Share of each episode's queries that are right."""
    return np.array([np.mean(given == one.query_y) for given, one in zip(answers, episodes, strict=True)])


def class_accuracies(answers: Sequence[np.ndarray], episodes: Sequence[Episode], count: int) -> Float[np.ndarray, " C"]:
    """Share of each class's queries that are right, over all episodes; NaN for one of `count` classes without any."""
    labels = np.concatenate([one.classes[one.query_y] for one in episodes])
    right = np.concatenate([given == one.query_y for given, one in zip(answers, episodes, strict=True)])
    asked = np.bincount(labels, minlength=count)
    return np.divide(np.bincount(labels, right, count), asked, out=np.full(count, np.nan), where=asked > 0)


def _alike(episodes: Sequence[Episode], width: int) -> list[tuple[int, list[int], tuple[_Shape, _Shape]]]:
    """Ways, numbers of some episodes of one shape, and what to compile for: shapes of support and queries.

    All batches of a shape are of one size, the last one repeats some; where there are several shapes of as many ways,
    one graph serves them all.
    """
    shapes: dict[tuple[int, int, int], list[int]] = {}
    for number, one in enumerate(episodes):
        shapes.setdefault((one.ways, len(one.support), len(one.query)), []).append(number)
    kinds = Counter(ways for ways, *_ in shapes)
    batches = []
    for (ways, support, query), numbers in shapes.items():
        size = min(len(numbers), max(1, _NUMBERS // ((support + query) * width)))
        padded = numbers + numbers[: -len(numbers) % size]
        own: tuple[_Shape, _Shape] = (
            ((size, support), (size, query)) if kinds[ways] == 1 else ((None, None), (None, None))
        )
        batches += [(ways, padded[start : start + size], own) for start in range(0, len(numbers), size)]
    return batches


def episodes_digest(episodes: Sequence[Episode]) -> str:
    """Sha-256 of classes, support and queries, 16 digits."""
    digest = hashlib.sha256()
    for one in episodes:
        for rows in (one.classes, one.support, one.support_y, one.query, one.query_y):
            digest.update(np.asarray(rows, "<i8").tobytes() + b"|")
    return digest.hexdigest()[:16]
