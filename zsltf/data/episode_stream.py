"""A tf.data pipeline of few-shot episodes from image files."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Int

from zsltf.checks import fail
from zsltf.data.decode import Resize
from zsltf.data.episodes import Episodes
from zsltf.data.images import Images
from zsltf.data.in_python import in_python
from zsltf.data.pipeline import IN_TURN, prefetched

__all__ = ["episode_dataset"]

_FIELDS = ("classes", "support", "support_y", "query", "query_y")


def episode_dataset(
    images: Images,
    episodes: Episodes,
    resize: Callable[[Any], Any],
    *,
    size: int,
    policy: Resize = "stretch",
    classes: Int[np.ndarray, " C"] | None = None,
    count: int | None = None,
    seed: int = 0,
) -> Any:
    """A tf.data.Dataset of dicts: classes (W,), support (S, size, size, 3), support_y, query (Q, ...) and query_y.

    Pixels are float32 in [0, 255]. Episode i is the i-th of `episodes.draw` with this seed, however many are read, in
    whatever order they are decoded; where ways and shots are fixed, `.batch(E)` puts E of them together.

    Args:
        images: what to read; every label is a class.
        episodes: how they are drawn.
        resize: from one decoded image to (size, size, 3), in TensorFlow ops: `Preprocess.resize`.
        size: pixels that the network takes; bigger photos are shrunk by area to it first.
        policy: the resize policy, for that shrinking.
        classes: labels that take part, such as those of base; by default all.
        count: episodes before the end; None goes on for ever.
        seed: of the list.

    Raises:
        ValueError: if there are too few classes, or a class has too few images; while it is read, naming an image that
            can't be decoded: an episode without it would be another.
    """
    rows = np.arange(len(images)) if classes is None else np.flatnonzero(np.isin(images.y, classes))
    if not len(rows):
        fail("episode_dataset", "images of these classes", "none", "Check the labels.")
    y = np.asarray(images.y)[rows]
    episodes.draw(y, 1, seed=seed)  # says what is missing before a pipeline does

    def draw(number: np.int64) -> list[np.ndarray]:
        (drawn,) = episodes.draw(y, 1, seed=seed, first=int(number))
        fields = {name: getattr(drawn, name) for name in _FIELDS}
        fields |= {name: rows[fields[name]] for name in ("support", "query")}
        return [np.asarray(fields[name], np.int64) for name in _FIELDS]

    def pixels(row: Any) -> Any:
        loaded = in_python(lambda index: images.load(int(index), size, policy), [row], tf.uint8)
        return tf.ensure_shape(resize(tf.ensure_shape(loaded, (None, None, 3))), (size, size, 3))

    def read(number: Any) -> dict[str, Any]:
        drawn = in_python(draw, [number], [tf.int64] * len(_FIELDS))
        fields = {name: tf.ensure_shape(rows, (None,)) for name, rows in zip(_FIELDS, drawn, strict=True)}
        spec = tf.TensorSpec((size, size, 3), tf.float32)
        return fields | {
            name: tf.map_fn(pixels, fields[name], fn_output_signature=spec) for name in ("support", "query")
        }

    numbers = tf.data.Dataset.range(np.iinfo(np.int64).max if count is None else count)
    return prefetched(numbers.map(read, **IN_TURN))
