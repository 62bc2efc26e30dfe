"""What a metric method returns that has learned a network: the network, then the method's own metric."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import copied, identity
from zsltf.protocols import FewShotLearner
from zsltf.training.embedding import embedded

__all__ = ["EmbeddedLearner", "own_network"]


@dataclass(frozen=True, kw_only=True, eq=False)
class EmbeddedLearner:
    """Embeds by a network, and learns classes from the embeddings.

    Normalisation uses stored statistics or those of one example, so that an example scores alone as in a batch.
    """

    network: keras.Model
    """From examples (B, ...) to embeddings (B, K)."""
    metric: FewShotLearner
    """Of embeddings; it is not transductive."""

    TRANSDUCTIVE: ClassVar[bool] = False

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Learn these classes from their support; the Classifier has the network inside."""
        return self.metric.fit(train.with_x(self.embedded(train.x)), classes).after(self.network)

    def embedded(self, x: Float[np.ndarray, "N *D"]) -> Float[np.ndarray, "N K"]:
        """Embeddings, on which `metric` scores as this does on the examples: each is computed once for all episodes."""
        return embedded(self.network, x)

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        return self.metric.logits(self._embed(support), support_y, self._embed(query), ways)

    def _embed(self, examples: Any) -> Any:
        """(E, N, ...) to (E, N, K)."""
        shape = tf.shape(examples)
        flat = tf.reshape(examples, tf.concat([[-1], shape[2:]], axis=0))
        flat = tf.ensure_shape(flat, (None, *self.network.input_shape[1:]))
        embedded = self.network(flat, training=False)
        return tf.reshape(embedded, (shape[0], shape[1], self.network.output_shape[-1]))


def own_network(method: str, base: Features, network: keras.Model | None) -> keras.Model:
    """A copy of the network to train; without one, the identity on vectors.

    Raises:
        ValueError: if it does not take such examples or does not give a vector for each.
    """
    if network is None:
        base.check_vectors(method)
        return _named(identity(base.x.shape[1]))
    taken, given = network.input_shape[1:], network.output_shape[1:]
    if len(taken) != base.x.ndim - 1 or any(
        want not in (None, got) for want, got in zip(taken, base.x.shape[1:], strict=True)
    ):
        fail(f"{method}: network", f"one of examples of shape {base.x.shape[1:]}", f"of {taken}", "Give another.")
    if len(given) != 1 or given[0] is None:
        fail(f"{method}: network", "one vector an example", f"outputs of shape {given}", "Pool its maps.")
    return _named(copied(network))


def _named(network: keras.Model) -> keras.Model:
    network.name = "network"  # beside a Classifier's "embed", which may be what was given
    return network
