"""A copy of a user's network under a new softmax head: what adaptation and generalisation train."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.closed import ClassScores, closed
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import copied, identity
from zsltf.similarities.dot import Dot
from zsltf.solvers.class_means import class_means
from zsltf.training.embedding import embedded

__all__ = ["HeadedNetwork", "labelled_loss", "labelled_set", "new_head"]


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadedNetwork:
    """A network of its own, and a softmax head on its embeddings."""

    network: keras.Model
    head: ClassScores
    classes: ClassTable

    @classmethod
    def build(
        cls, method: str, labelled: Features, classes: ClassTable, network: keras.Model | None, seed: int
    ) -> "HeadedNetwork":
        """A copy of the network, which stays as it is, under a new head.

        Args:
            method: is named in messages.
            labelled: examples; every class needs one.
            classes: all seen.
            network: from an example to its embedding (B, K); None for vectors that are embeddings already.
            seed: of the head.

        Raises:
            ValueError: if the network takes other shapes, or a class has no example.
        """
        labelled.check_seen(classes)
        labelled.check_covers(classes)
        if network is None:
            labelled.check_vectors(f"{method} without a network")
            network = identity(labelled.x.shape[1])
        elif network.input_shape[1:] != labelled.x.shape[1:]:
            shapes = str(labelled.x.shape[1:]), str(network.input_shape[1:])
            fail(f"{method}, network", f"inputs {shapes[0]}", shapes[1], "Build it for these examples.")
        own = copied(network)
        return cls(network=own, head=new_head(int(own.output_shape[-1]), len(classes), seed), classes=classes)

    @property
    def width(self) -> int:
        """K, of the embeddings."""
        return int(self.network.output_shape[-1])

    @property
    def variables(self) -> list[keras.Variable]:
        """All weights, statistics included."""
        return [*self.network.variables, *self.head.variables]

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """What labels train."""
        return [*self.network.trainable_variables, *self.head.trainable_variables]

    def scores(self, x: Any) -> tuple[Any, Any]:
        """Embeddings (B, K) and scores (B, C) of a batch in training."""
        embeddings = self.network(x, training=True)
        return embeddings, self.head(embeddings)

    def embed(self, x: Float[np.ndarray, "N *D"]) -> Float[np.ndarray, "N K"]:
        """Embeddings as in use."""
        return embedded(self.network, x)

    def classifier(self, labelled: Features) -> Classifier:
        """The trained network and its head; it opens by photos."""
        means = class_means(self.embed(labelled.x), labelled.y, labelled.weights, len(self.classes))
        kernel, bias = (keras.ops.convert_to_numpy(weight) for weight in (self.head.kernel, self.head.bias))
        return closed(self.network, kernel, bias, self.classes, means)


def new_head(width: int, num_classes: int, seed: int) -> ClassScores:
    """A softmax head on embeddings (B, width), as it starts."""
    head = ClassScores(num_classes, Dot())
    head.build((None, width))
    head.kernel.assign(keras.initializers.GlorotUniform(seed)(head.kernel.shape))
    return head


def labelled_set(labelled: Features) -> tuple[np.ndarray, ...]:
    """x, y and weights, as a step gets them: examples of weight 0 are in no batch, and in no statistics.

    The largest weight becomes 1: losses are weighted means, and sums of huge weights would not be finite.
    """
    labelled = labelled.counted()
    weights = labelled.weights / labelled.weights.max()
    return labelled.x, labelled.y.astype(np.int32), weights.astype(np.float32)


def labelled_loss(scores: Any, y: Any, weights: Any) -> Any:
    """Weighted mean cross-entropy, in nats, of labels (B,) under scores (B, C)."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)
    return tf.math.divide_no_nan(tf.reduce_sum(weights * losses), tf.reduce_sum(weights))
