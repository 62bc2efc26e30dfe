"""What lies below the cut, computed once, as something that TensorFlow reads from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.data.in_python import in_python

__all__ = ["Activations"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Activations:
    """What the frozen part of a network makes of every image, once for each view.

    Args:
        values: (V, N, ...), in memory or memory-mapped.
    """

    values: Float[np.ndarray, "V N *D"]
    largest_constant = 2**29  # bytes up to which TensorFlow gathers by itself

    def gather(self) -> Callable[[Any, Any], Any]:
        """A TensorFlow function of a view and rows (B,) to activations (B, ...)."""
        if self.values.nbytes <= self.largest_constant:
            flat, count = tf.constant(self.values.reshape(-1, *self.values.shape[2:])), self.values.shape[1]
            return lambda view, rows: tf.gather(flat, tf.cast(view, tf.int32) * count + rows)

        def read(view: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return self.values[view, rows]

        def gather(view: Any, rows: Any) -> Any:
            found = in_python(read, [view, rows], tf.float32)
            return tf.ensure_shape(found, (None, *self.values.shape[2:]))

        return gather
