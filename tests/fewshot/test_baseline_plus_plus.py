"""Baseline++: where it starts, and that steps lower the loss of its support."""

import numpy as np
import pytest
from scipy.special import log_softmax

from zsltf.fewshot.baseline_plus_plus import BaselinePlusPlus
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.solvers.support_heads import Steps


@pytest.fixture
def support(toy_features):
    features, classes = toy_features
    return features.select((features.y < 5) & (np.arange(160) % 10 < 3)), classes.select(np.arange(5))


def unit(features):
    return features.with_x(features.x / np.sqrt((features.x**2).sum(axis=1, keepdims=True)))


def test_it_starts_from_the_means_of_unit_vectors(support):
    train, classes = support
    still = BaselinePlusPlus(scale=7.0, steps=Steps(count=1, learning_rate=1e-12))
    expected = 7.0 * NearestClassMean(cosine=True).fit(unit(train), classes).score(train.x)
    np.testing.assert_allclose(still.fit(train, classes).score(train.x), expected, atol=1e-5)


def test_steps_lower_the_loss_of_the_support(support):
    train, classes = support

    def loss(count):
        steps = Steps(count=count, learning_rate=0.1, decay=0.0)
        scores = BaselinePlusPlus(steps=steps).fit(train, classes).score(train.x)
        return -log_softmax(scores, axis=1)[np.arange(len(train)), train.y].mean()

    losses = [loss(count) for count in (1, 10, 100)]
    assert losses[0] > losses[1] > losses[2]


def test_scores_are_within_the_scale(support):
    train, classes = support
    scores = BaselinePlusPlus(scale=3.0).fit(train, classes).score(train.x)
    assert abs(scores).max() <= 3.0 + 1e-5
    with pytest.raises(ValueError, match=r"BaselinePlusPlus\.scale: expected a number > 0, received -1"):
        BaselinePlusPlus(scale=-1.0)
