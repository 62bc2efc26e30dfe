"""What is learned on a network's embeddings while the network stays as it is."""

from collections.abc import Callable

import keras

from zsltf.data.features import Features
from zsltf.protocols import FewShotLearner
from zsltf.training.embedded_learner import EmbeddedLearner, own_network
from zsltf.training.embedding import embedded

__all__ = ["on_embeddings"]


def on_embeddings(
    method: str, base: Features, network: keras.Model | None, learn: Callable[[Features], FewShotLearner]
) -> FewShotLearner:
    """A learner of vectors behind a copy of the network; without a network the learner alone.

    Args:
        method: its name, for errors.
        base: vectors, or what the network takes.
        network: from an example to its embedding.
        learn: from the embeddings of base to a learner of embeddings.

    Raises:
        ValueError: if base is no vectors where there is no network, or is not what the network takes.
    """
    if network is None:
        base.check_vectors(method)
        return learn(base)
    copy = own_network(method, base, network)
    return EmbeddedLearner(network=copy, metric=learn(base.with_x(embedded(copy, base.x))))
