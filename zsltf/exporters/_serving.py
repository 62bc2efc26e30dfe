"""The signatures of a SavedModel, made of graphs that each are stored once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zsltf.artifacts.card import NONE_OF_THESE, Card
from zsltf.artifacts.graph import images_spec

__all__ = ["Serving"]


class Serving(tf.Module):
    """A class table around the graphs of a network.

    Args:
        graphs: functions by name: resize, decode, network, compare, and project where there is one.
        weights: variables that they read.
        card: names and threshold of the classes.
        table: class_vectors and class_bias.
    """

    def __init__(
        self, graphs: Mapping[str, Any], weights: Sequence[Any], card: Card, table: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__()
        self.weights, self.threshold = list(weights), card.threshold
        self.vectors, self.bias = (
            tf.Variable(table[name], trainable=False) for name in ("class_vectors", "class_bias")
        )
        self.names = tf.constant(card.names)
        self.resize, self.decode, self.network, self.compare = (
            graphs[name] for name in ("resize", "decode", "network", "compare")
        )
        if "project" in graphs:
            self.project = graphs["project"]

    def signatures(self) -> dict[str, Any]:
        """By name."""
        images, encoded = images_spec(), tf.TensorSpec((None,), tf.string, name="encoded")
        vectors, bias = (tf.TensorSpec((None, *v.shape[1:]), tf.float32) for v in (self.vectors, self.bias))
        doors: dict[str, tuple[Any, list[Any]]] = {
            "serving_default": (lambda images: self._answer(self.resize(images)), [images]),
            "from_bytes": (lambda encoded: self._answer(self.decode(encoded)), [encoded]),
            "open_vocabulary": (self._open_vocabulary, [images, vectors, bias]),
            "embed": (lambda images: self.network(self.resize(images)), [images]),
            "table": (self._table, [tf.TensorSpec((None,), tf.int32, name="rows")]),
        }
        made = {name: tf.function(f, input_signature=specs, autograph=False) for name, (f, specs) in doors.items()}
        return made | ({"project": self.project} if hasattr(self, "project") else {})

    def _compared(self, pixels: Any, vectors: Any, bias: Any) -> dict[str, Any]:
        return self.compare(self.network(pixels)["embedding"], vectors, bias)

    def _answer(self, pixels: Any) -> dict[str, Any]:
        outputs = self._compared(pixels, self.vectors, self.bias)
        label = tf.gather(self.names, tf.argmax(outputs["scores"], axis=1))
        if self.threshold is not None:
            known = tf.reduce_max(outputs["scores"], axis=1) >= self.threshold
            label = tf.where(known, label, NONE_OF_THESE)
        return {**outputs, "label": label}

    def _open_vocabulary(self, images: Any, class_vectors: Any, class_bias: Any) -> dict[str, Any]:
        counts = (tf.size(class_bias), tf.shape(class_vectors)[0])  # a single bias would be broadcast
        checked = tf.debugging.assert_equal(*counts, "class_bias: expected one a row of class_vectors")
        with tf.control_dependencies([checked]):
            return self._compared(self.resize(images), class_vectors, tf.identity(class_bias))

    def _table(self, rows: Any) -> dict[str, Any]:
        """Of these rows, or of all where there are none: REST calls no signature without an input."""
        chosen = tf.cond(tf.size(rows) > 0, lambda: rows, lambda: tf.range(tf.size(self.bias)))
        parts = {"names": self.names, "class_vectors": self.vectors, "class_bias": self.bias}
        return {name: tf.gather(part, chosen) for name, part in parts.items()}
