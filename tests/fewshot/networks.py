"""What the tests of trained few-shot methods share: base classes, other classes, and a small network."""

import keras
import numpy as np

from zsltf.data.classes import ClassTable
from zsltf.data.episodes import Episodes
from zsltf.data.features import Features
from zsltf.training.episodic import EpisodicTraining

SHORT = EpisodicTraining(steps=4, episodes=2, ways=3, shots=2, queries=3, learning_rate=1e-2)


def apart(toy_features):
    """Base, and other classes."""
    features, classes = toy_features
    return features.select(classes.seen[features.y]), features.select(~classes.seen[features.y])


def dense_network(width=32, seed=0):
    layers = [
        keras.layers.Dense(units, activation, kernel_initializer=keras.initializers.GlorotUniform(seed + units))
        for units, activation in ((16, "relu"), (8, None))
    ]
    return keras.Sequential([keras.Input((width,)), *layers])


def table(count):
    return ClassTable(names=tuple("abcdefgh"[:count]), semantics=np.zeros((count, 0)), seen=np.ones(count, bool))


def one_episode(features, ways=3, shots=2):
    """Support as Features, queries, their ways, and the inputs of `logits`."""
    (one,) = Episodes(ways=ways, shots=shots, queries=3).draw(features.y, 1, seed=5)
    support, query = features.x[one.support], features.x[one.query]
    return Features(x=support, y=one.support_y), query, one.query_y, (support[None], one.support_y[None], query[None])
