"""Relations by hand: one pair at a time."""

from dataclasses import replace

import numpy as np
import pytest
from fewshot.networks import SHORT, apart, dense_network, one_episode, table

from zsltf.fewshot.relation_network import RelationNetwork


def test_scores_are_those_of_each_pair_of_query_and_class_mean(toy_features):
    base, other = apart(toy_features)
    learner = RelationNetwork(directions=5, training=SHORT).learn(base, network=dense_network())
    support, query, _, inputs = one_episode(other)
    a, s = (np.asarray(learner.network(x), np.float64) for x in (query, support.x))
    of_image, of_class, offset, score, level = learner.metric.relation.get_weights()
    expected = np.empty((len(a), 3))
    for i, way in np.ndindex(expected.shape):
        mean = s[support.y == way].mean(axis=0)
        hidden = np.maximum(0, np.concatenate([a[i], mean]) @ np.concatenate([of_image, of_class]) + offset)
        expected[i, way] = (hidden @ score + level)[0]
    np.testing.assert_allclose(np.asarray(learner.logits(*inputs, 3))[0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(learner.fit(support, table(3)).score(query), expected, rtol=1e-4, atol=1e-5)


def test_it_starts_as_a_distance_and_is_trained(toy_features):
    base, other = apart(toy_features)
    support, query, _, inputs = one_episode(other, shots=1)
    method = RelationNetwork(directions=7, training=replace(SHORT, learning_rate=1e-12))
    start = np.asarray(method.learn(base).logits(*inputs, 3))[0]
    r = np.random.default_rng(0).normal(0, 32**-0.5, (32, 7))
    expected = [[-np.abs((x - b) @ r).mean() for b in support.x] for x in query]
    np.testing.assert_allclose(start, expected, rtol=1e-4)
    later = np.asarray(replace(method, training=SHORT).learn(base).logits(*inputs, 3))[0]
    assert np.abs(later - start).max() > 1e-3


def test_no_direction_is_refused():
    with pytest.raises(ValueError, match=r"RelationNetwork\.directions: expected a number > 0, received 0"):
        RelationNetwork(directions=0)
