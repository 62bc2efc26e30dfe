"""Baseline against logistic regression, and what it does about the features' unit."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from zsltf.fewshot.baseline import Baseline
from zsltf.solvers.support_heads import Steps


@pytest.fixture
def support(toy_features):
    features, classes = toy_features
    new = features.select(features.y < 5)
    return new.select(np.arange(50) % 10 < 3), new, classes.select(np.arange(5))


def test_with_many_steps_it_is_logistic_regression(support):
    train, test, classes = support
    decay = 0.01
    scores = Baseline(steps=Steps(count=5000, decay=decay)).fit(train, classes).score(test.x)
    mean = train.x.mean(axis=0)
    unit = np.sqrt(((train.x - mean) ** 2).sum(axis=1).mean())
    model = LogisticRegression(C=1 / (decay * len(train)), tol=1e-10, max_iter=10_000)
    model.fit(((train.x - mean) / unit).astype(np.float64), train.y)
    expected = model.decision_function((test.x - mean) / unit)
    centred = scores - scores.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(centred, expected - expected.mean(axis=1, keepdims=True), atol=2e-3)


def test_neither_unit_nor_offset_of_the_features_matters(support):
    train, test, classes = support
    scores = Baseline().fit(train, classes).score(test.x)
    moved = Baseline().fit(train.with_x(50 * train.x + 7), classes).score(50 * test.x + 7)
    np.testing.assert_allclose(moved, scores, atol=1e-3 * scores.std())


def test_it_fits_its_support_in_a_hundred_steps(support):
    train, _, classes = support
    probability = softmax(Baseline().fit(train, classes).score(train.x), axis=1)
    assert probability[np.arange(len(train)), train.y].min() > 0.8


def test_classes_of_unequal_support_count_alike(support):
    train, _, classes = support
    repeated = train.select([*np.flatnonzero(train.y == 0)] * 4 + [*np.flatnonzero(train.y != 0)])
    scores = Baseline().fit(train, classes).score(train.x)
    np.testing.assert_allclose(Baseline().fit(repeated, classes).score(train.x), scores, atol=1e-3 * scores.std())
