"""The attention read out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from fewshot.networks import SHORT, apart, dense_network, one_episode, table
from scipy.special import softmax

from zsltf.data.features import Features
from zsltf.fewshot.matching_network import MatchingNetwork


@pytest.mark.parametrize("network", [None, dense_network()], ids=["vectors", "network"])
def test_probabilities_are_the_attention_on_each_classs_examples(toy_features, network):
    base, other = apart(toy_features)
    learner = MatchingNetwork(training=SHORT).learn(base, network=network)
    scale = float(np.exp(learner.metric.log_scale.numpy()))
    assert abs(scale - 10) > 1e-3  # trained
    support, query, _, inputs = one_episode(other)
    rows = [0, 1, 2, 3, 5]  # the last class has one example
    a, s = (np.asarray(learner.network(x), np.float64) for x in (query, support.x))
    cosines = (a / np.linalg.norm(a, axis=1)[:, None]) @ (s / np.linalg.norm(s, axis=1)[:, None]).T
    for kept in (np.arange(6), rows):
        expected = softmax(scale * cosines[:, kept], axis=1) @ np.eye(3)[support.y[kept]]
        fitted = learner.fit(support.select(kept), table(3)).score(query)
        np.testing.assert_allclose(softmax(fitted, axis=1), expected, atol=1e-5)
    together = np.asarray(learner.logits(*inputs, 3))[0]
    np.testing.assert_allclose(together, learner.fit(support, table(3)).score(query), atol=1e-4)


def test_an_example_that_embeds_to_zero_or_counts_for_half_is_refused(toy_features):
    base, other = apart(toy_features)
    learner = MatchingNetwork(training=SHORT).learn(base)
    support = one_episode(other)[0]
    x = support.x.copy()
    x[3] = 0
    with pytest.raises(ValueError, match="expected embeddings other than 0, received 0 for an example of b"):
        learner.fit(Features(x=x, y=support.y), table(3))
    with pytest.raises(ValueError, match="MatchingNetwork: sample_weight: expected 0 or 1 an example"):
        learner.fit(replace(support, sample_weight=np.full(6, 0.5, np.float32)), table(3))


def test_a_scale_that_is_no_scale_is_refused():
    with pytest.raises(ValueError, match=r"MatchingNetwork\.scale: expected a number > 0, received -1"):
        MatchingNetwork(scale=-1.0)
