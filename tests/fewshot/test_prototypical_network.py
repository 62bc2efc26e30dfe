"""Prototypes against the linear form, and the network that is trained for them."""

import numpy as np
import pytest
from fewshot.networks import SHORT, apart, dense_network, one_episode, table

from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.fewshot.prototypical_network import PrototypicalNetwork


def test_scores_are_the_linear_form_of_twice_the_prototypes(toy_features):
    """-|f(x) - p|^2 = 2 p f(x) - |p|^2 - |f(x)|^2, and the last is no class's."""
    base, other = apart(toy_features)
    learner = PrototypicalNetwork(training=SHORT).learn(base, network=dense_network())
    support, query, _, inputs = one_episode(other)
    a, s = (np.asarray(learner.network(x), np.float64) for x in (query, support.x))
    prototypes = np.stack([s[support.y == way].mean(axis=0) for way in range(3)])
    expected = a @ (2 * prototypes).T - (prototypes**2).sum(axis=1) - (a**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(learner.logits(*inputs, 3))[0], expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(learner.fit(support, table(3)).score(query), expected, rtol=1e-4, atol=1e-4)


def test_a_copy_of_the_network_is_trained_and_validation_chooses(toy_features):
    base, other = apart(toy_features)
    network = dense_network()
    before = network.get_weights()
    learner = PrototypicalNetwork(training=SHORT).learn(base, network=network)
    for old, given in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, given)
    for old, trained in zip(before[:3], learner.network.get_weights(), strict=False):  # the last bias is no distance's
        assert np.abs(old - trained).max() > 1e-4
    with pytest.raises(ValueError, match="validation: expected classes that base does not have"):
        PrototypicalNetwork(training=SHORT).learn(base, validation=base, network=network)
    assert PrototypicalNetwork(training=SHORT).learn(base, validation=other, network=network) is not None


def test_by_the_cosine_its_scale_is_learned_too(toy_features):
    base, other = apart(toy_features)
    learner = PrototypicalNetwork(cosine=True, training=SHORT).learn(base, network=dense_network())
    support, query, _, inputs = one_episode(other)
    scale = float(np.exp(learner.metric.log_scale.numpy()))
    assert abs(scale - 10) > 1e-2
    a, s = (np.asarray(learner.network(x), np.float64) for x in (query, support.x))
    prototypes = np.stack([s[support.y == way].mean(axis=0) for way in range(3)])
    products = a @ prototypes.T / np.linalg.norm(prototypes, axis=1) / np.linalg.norm(a, axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(learner.logits(*inputs, 3))[0], scale * products, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(learner.fit(support, table(3)).score(query), scale * products, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cosine", [False, True])
def test_without_a_network_it_is_the_nearest_class_mean(toy_features, cosine):
    assert PrototypicalNetwork(cosine=cosine).learn(apart(toy_features)[0]) == NearestClassMean(cosine=cosine)
