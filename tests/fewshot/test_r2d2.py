"""R2-D2 against scikit-learn's ridge regression, and what training learns."""

import dataclasses

import keras
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from zsltf.fewshot.r2d2 import R2D2
from zsltf.training.episodic import EpisodicTraining

SHORT = EpisodicTraining(steps=30, episodes=2, ways=4, shots=2, queries=3, learning_rate=0.05)


@pytest.fixture
def sets(toy_features):
    features, classes = toy_features
    new = features.select(~classes.seen[features.y])
    return features.select(classes.seen[features.y]), new.with_y(new.y - 12), classes.select(np.arange(12, 16))


def test_scores_are_those_of_ridge_regression(sets):
    _, new, classes = sets
    train = new.select(np.arange(40) % 10 < 3)
    scores = R2D2(ridge=0.3, scale=4.0).without_base().fit(train, classes).score(new.x)
    penalty = 0.3 * (train.x.astype(np.float64) ** 2).sum(axis=1).mean()
    model = Ridge(alpha=penalty, fit_intercept=False).fit(train.x.astype(np.float64), np.eye(4)[train.y])
    expected = 4.0 * model.predict(new.x)
    centred = [values - values.mean(axis=1, keepdims=True) for values in (scores, expected)]
    np.testing.assert_allclose(*centred, atol=1e-4)


def test_the_features_unit_does_not_matter(sets):
    _, new, classes = sets
    learner = R2D2().without_base()
    scores = learner.fit(new, classes).score(new.x)
    moved = learner.fit(new.with_x(1000 * new.x), classes).score(1000 * new.x)
    np.testing.assert_allclose(moved, scores, atol=1e-3 * scores.std())


def test_training_changes_penalty_and_scale_for_the_better(sets):
    learner = R2D2(training=SHORT, ridge=30.0, scale=0.5).learn(sets[0])
    ridge, scale = (np.exp(np.asarray(variable)) for variable in learner.variables)
    assert ridge < 20
    assert scale > 1


def test_a_network_is_trained_and_the_given_one_stays(sets):
    base, new, classes = sets
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((32,)), keras.layers.Dense(6)])
    start = [weight.copy() for weight in network.get_weights()]
    learner = R2D2(training=SHORT).learn(base, network=network)
    for weight, before in zip(network.get_weights(), start, strict=True):
        np.testing.assert_array_equal(weight, before)
    fitted = learner.fit(new, classes)
    moved = learner.network.get_weights()[0]
    assert abs(moved - start[0]).max() > 1e-3
    scores, together = fitted.score(new.x), np.asarray(learner.logits(new.x[None], new.y[None], new.x[None], 4))[0]
    centred = [values - values.mean(axis=1, keepdims=True) for values in (scores, together)]
    np.testing.assert_allclose(*centred, atol=1e-3)


def test_too_small_a_base_is_refused(sets):
    base, *_ = sets
    wide = dataclasses.replace(SHORT, ways=13)
    with pytest.raises(ValueError, match=r"Episodes\.ways: expected at most the 12 classes of the set, received 13"):
        R2D2(training=wide).learn(base)
    with pytest.raises(ValueError, match=r"R2D2\.ridge: expected a number > 0, received 0"):
        R2D2(ridge=0.0)
