"""Nearest class mean against distances computed one by one."""

import keras
import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.fewshot.nearest_class_mean import NearestClassMean


def test_scores_are_negative_squared_distances_to_the_means(toy_features):
    features, classes = toy_features
    scores = NearestClassMean().fit(features, classes).score(features.x[:9])
    means = [features.x[features.y == c].astype(np.float64).mean(axis=0) for c in range(len(classes))]
    expected = [[-((x - mean) ** 2).sum() for mean in means] for x in features.x[:9]]
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-3)


def test_scores_are_cosines_to_the_means_where_asked(toy_features):
    features, classes = toy_features
    scores = NearestClassMean(cosine=True).fit(features, classes).score(features.x[:9])
    means = [features.x[features.y == c].astype(np.float64).mean(axis=0) for c in range(len(classes))]
    expected = [[x @ m / np.sqrt((x @ x) * (m @ m)) for m in means] for x in features.x[:9].astype(np.float64)]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_common_offset_does_not_cost_precision():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 512)), np.repeat(np.arange(6), 10)
    classes = ClassTable(names=tuple("abcdef"), semantics=np.zeros((6, 1)), seen=np.ones(6, bool))

    def predicted(offset):
        train = Features(x=(x + offset).astype(np.float32), y=y)
        return NearestClassMean().fit(train, classes).score(train.x).argmax(axis=1)

    np.testing.assert_array_equal(predicted(30.0), predicted(0.0))


def test_a_class_without_examples_is_named(toy_features):
    features, classes = toy_features
    with pytest.raises(ValueError, match=r"expected an example of every class, received none of class 3\. Leave"):
        NearestClassMean().fit(features.select(features.y != 3), classes)


def test_a_network_goes_first(toy_features):
    features, classes = toy_features
    network = keras.Sequential([keras.Input((32,)), keras.layers.Dense(6)])
    learner = NearestClassMean().learn(features, network=network)
    embedded = features.with_x(np.asarray(network(features.x)))
    expected = NearestClassMean().fit(embedded, classes).score(embedded.x)
    np.testing.assert_allclose(learner.fit(features, classes).score(features.x), expected, atol=1e-3)
