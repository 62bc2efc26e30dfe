"""A network before a metric: the same numbers as by hand, and the same Classifier."""

import keras
import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.episodes import Episodes
from zsltf.data.features import Features
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.training.embedded_learner import EmbeddedLearner, own_network


def network(seed=0):
    layers = (
        keras.layers.Conv2D(4, 3, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed)),
        keras.layers.BatchNormalization(),
        keras.layers.GlobalAveragePooling2D(),
    )
    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 6)
    return Features(x=(rng.random((24, 8, 8, 3)) + y[:, None, None, None] / 4).astype(np.float32), y=y)


def test_scores_are_the_metrics_of_embeddings_in_episodes_and_fitted(images, tmp_path):
    learner = EmbeddedLearner(network=network(), metric=NearestClassMean())
    (one,) = Episodes(ways=3, shots=2, queries=2).draw(images.y, 1)
    embedded = np.asarray(learner.network(images.x))
    inputs = [(x[one.support][None], one.support_y[None], x[one.query][None], 3) for x in (images.x, embedded)]
    expected = np.asarray(NearestClassMean().logits(*inputs[1]))[0]
    np.testing.assert_allclose(np.asarray(learner.logits(*inputs[0]))[0], expected, rtol=1e-4, atol=1e-5)
    classes = ClassTable(names=("a", "b", "c"), semantics=np.zeros((3, 0)), seen=np.ones(3, bool))
    classifier = learner.fit(Features(x=images.x[one.support], y=one.support_y), classes)
    np.testing.assert_allclose(classifier.score(images.x[one.query]), expected, rtol=1e-4, atol=1e-5)
    classifier.save(tmp_path / "model.keras")
    loaded = Classifier.load(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.score(images.x[one.query]), expected, rtol=1e-4, atol=1e-5)


def test_the_network_that_is_given_stays_as_it_is(images):
    given = network()
    mine = own_network("X", images, given)
    mine.trainable_variables[0].assign(0 * mine.trainable_variables[0])
    assert np.abs(given.get_weights()[0]).max() > 0


def test_without_a_network_vectors_are_their_own_embedding(images):
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    vectors = Features(x=x, y=np.arange(5))
    np.testing.assert_array_equal(np.asarray(own_network("X", vectors, None)(x)), x)
    with pytest.raises(ValueError, match=r"X: expected features \(N, D\), received maps \(24, 8, 8, 3\)"):
        own_network("X", images, None)


def test_a_network_of_other_examples_or_without_one_vector_each_is_refused(images):
    with pytest.raises(
        ValueError, match=r"X: network: expected one of examples of shape \(8, 8, 3\), received of \(5,"
    ):
        own_network("X", images, keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]))
    maps = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
    with pytest.raises(ValueError, match=r"X: network: expected one vector an example, received outputs of .*6, 6, 4"):
        own_network("X", images, maps)
