"""tf.data pipelines that end when they are at their end."""

import os
from typing import Any

import tensorflow as tf

__all__ = ["IN_TURN", "prefetched"]

IN_TURN: dict[str, Any] = {"num_parallel_calls": os.cpu_count() or 1, "deterministic": True}
"""For `map`: on all cores, results in the order of the inputs."""


def prefetched(dataset: Any) -> Any:
    """Two elements are read ahead, and TensorFlow's tuner is off.

    The tuner's thread may miss that an iteration was left, and who leaves it waits until that thread wakes up next: as
    long as the iteration took already, at most a minute (TensorFlow 2.21).
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(2).with_options(options)
