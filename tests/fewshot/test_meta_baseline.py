"""The two stages, and the cosine of both."""

from dataclasses import replace

import numpy as np
import pytest
from fewshot.networks import SHORT, apart, dense_network, one_episode, table

from zsltf.fewshot.classifier_baseline import ClassifierBaseline
from zsltf.fewshot.meta_baseline import MetaBaseline
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.training.base_classes import train_base_classes
from zsltf.training.descent import Descent

FEW = Descent(epochs=2, learning_rate=1e-2)


def cosines(network, support, query):
    a, s = (np.asarray(network(x), np.float64) for x in (query, support.x))
    means = np.stack([s[support.y == way].mean(axis=0) for way in range(3)])
    return a @ means.T / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(means, axis=1)


def test_the_baseline_is_the_trained_network_under_cosines_to_means(toy_features):
    base, other = apart(toy_features)
    support, query, _, inputs = one_episode(other)
    learner = ClassifierBaseline(descent=FEW).learn(base, network=dense_network())
    trained = dense_network()
    train_base_classes(trained, FEW, base)
    for one, two in zip(learner.network.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    expected = cosines(trained, support, query)
    np.testing.assert_allclose(np.asarray(learner.logits(*inputs, 3))[0], expected, atol=1e-5)
    np.testing.assert_allclose(learner.fit(support, table(3)).score(query), expected, atol=1e-5)
    assert ClassifierBaseline().learn(base) == NearestClassMean(cosine=True)


def test_episodes_go_on_from_the_baseline_and_learn_the_scale(toy_features):
    base, other = apart(toy_features)
    support, query, _, inputs = one_episode(other)
    still = replace(SHORT, learning_rate=1e-12)
    first = MetaBaseline(descent=FEW, training=still).learn(base, network=dense_network())
    baseline = ClassifierBaseline(descent=FEW).learn(base, network=dense_network())
    for one, two in zip(first.network.get_weights(), baseline.network.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
    learner = MetaBaseline(descent=FEW, training=SHORT).learn(base, network=dense_network())
    scale = float(np.exp(learner.metric.log_scale.numpy()))
    assert abs(scale - 10) > 1e-2
    expected = scale * cosines(learner.network, support, query)
    np.testing.assert_allclose(np.asarray(learner.logits(*inputs, 3))[0], expected, atol=1e-4)
    np.testing.assert_allclose(learner.fit(support, table(3)).score(query), expected, atol=1e-4)


def test_what_is_wrong_with_the_episodes_is_said_before_the_first_stage(toy_features):
    base, _ = apart(toy_features)
    method = MetaBaseline(descent=Descent(epochs=10**9), training=replace(SHORT, ways=20))
    with pytest.raises(ValueError, match="at most the 12 classes of the set, received 20"):
        method.learn(base, network=dense_network())
    with pytest.raises(ValueError, match=r"MetaBaseline\.scale: expected a number > 0, received 0"):
        MetaBaseline(scale=0.0)
