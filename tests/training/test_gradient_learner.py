"""Adapted networks against gradient descent by NumPy and by Keras."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from fewshot.networks import apart, dense_network, one_episode, table
from scipy.special import log_softmax, softmax

from zsltf.classifier import Classifier
from zsltf.embeds import identity
from zsltf.training.gradient_learner import GradientLearner, prototype_head, zero_head
from zsltf.training.inner_loop import InnerLoop


def learner(body=None, *, head=zero_head, steps=3, step_size=0.02, adapts_body=True):
    inner = InnerLoop(steps=steps, step_size=step_size)
    return GradientLearner(method="X", body=body or dense_network(), head=head, inner=inner, adapts_body=adapts_body)


def centred(scores):
    return np.asarray(scores) - np.mean(scores, axis=-1, keepdims=True)


def by_keras(support, query, steps, step_size):
    """SGD on a whole network whose head starts from zeros."""
    head = keras.layers.Dense(3, kernel_initializer="zeros")
    model = keras.Sequential([*dense_network().layers, head])
    model.compile(keras.optimizers.SGD(step_size), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(steps):
        model.train_on_batch(support.x, support.y)
    return model.predict_on_batch(query)


def test_the_whole_network_takes_the_steps_of_sgd(toy_features):
    support, query, _, inputs = one_episode(apart(toy_features)[1])
    expected = by_keras(support, query, 4, 0.05)
    method = learner(steps=4, step_size=0.05)
    np.testing.assert_allclose(np.asarray(method.logits(*inputs, 3))[0], expected, rtol=1e-3, atol=1e-4)
    fitted = method.fit(support, table(3)).score(query)
    np.testing.assert_allclose(centred(fitted), centred(expected), rtol=1e-3, atol=1e-4)


def test_on_a_frozen_body_it_is_a_logistic_regression_step(toy_features):
    """W - a X'(P - Y) / S, and for the bias the mean of P - Y."""
    support, query, _, inputs = one_episode(apart(toy_features)[1])
    x, y = support.x.astype(np.float64), np.eye(3)[support.y]
    kernel, bias = np.zeros((32, 3)), np.zeros(3)
    for _ in range(3):
        slope = (softmax(x @ kernel + bias, axis=1) - y) / len(x)
        kernel, bias = kernel - 0.02 * x.T @ slope, bias - 0.02 * slope.sum(axis=0)
    expected = query @ kernel + bias
    for adapts_body in (False, True):
        method = learner(identity(32), adapts_body=adapts_body)
        np.testing.assert_allclose(np.asarray(method.logits(*inputs, 3))[0], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(centred(method.fit(support, table(3)).score(query)), centred(expected), atol=1e-4)


@pytest.mark.parametrize("adapts_body", [False, True])
def test_episodes_do_not_see_each_other(toy_features, adapts_body):
    other = apart(toy_features)[1]
    method = learner(adapts_body=adapts_body)
    inputs = [one_episode(other, shots=2)[3], one_episode(other.select(np.arange(len(other))[::-1]), shots=2)[3]]
    together = np.asarray(method.logits(*map(np.concatenate, zip(*inputs, strict=True)), 3))
    for found, one in zip(together, inputs, strict=True):
        np.testing.assert_allclose(found, np.asarray(method.logits(*one, 3))[0], rtol=1e-4, atol=1e-5)


def test_prototypes_that_take_no_step_are_the_nearest_means(toy_features):
    support, query, _, inputs = one_episode(apart(toy_features)[1])
    method = learner(head=prototype_head, step_size=0.0)
    a, s = (np.asarray(method.body(x), np.float64) for x in (query, support.x))
    means = np.stack([s[support.y == way].mean(axis=0) for way in range(3)])
    expected = 2 * a @ means.T - (means**2).sum(axis=1)
    np.testing.assert_allclose(np.asarray(method.logits(*inputs, 3))[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("head", [zero_head, prototype_head])
def test_the_meta_gradient_is_that_of_finite_differences(toy_features, head):
    _, _, query_y, inputs = one_episode(apart(toy_features)[1])
    method = learner(head=head, steps=2, step_size=0.05)

    @tf.function
    def loss():
        scores = method.logits(*(tf.constant(part) for part in inputs), 3)[0]
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(query_y, scores))

    @tf.function
    def slopes():
        with tf.GradientTape() as tape:
            value = loss()
        return tape.gradient(value, method.body.trainable_variables)

    for variable, slope in zip(method.body.trainable_variables[:3], slopes(), strict=False):
        start, direction = variable.numpy(), np.sign(slope.numpy())
        ends = []
        for sign in (1, -1):
            variable.assign(start + sign * 1e-3 * direction)
            ends.append(float(loss()))
        variable.assign(start)
        assert (ends[0] - ends[1]) / 2e-3 == pytest.approx(np.abs(slope.numpy()).sum(), rel=0.02)


def test_weights_count_and_the_fitted_classifier_is_a_copy_that_saves(toy_features, tmp_path):
    support, query, _, _ = one_episode(apart(toy_features)[1])
    method = learner()
    before = method.body.get_weights()
    twice = support.select(np.repeat(np.arange(6), np.tile([1, 2], 3)))
    weighted = type(support)(x=support.x, y=support.y, sample_weight=np.tile([1, 2], 3).astype(np.float32))
    one, other = (method.fit(given, table(3)) for given in (weighted, twice))
    np.testing.assert_allclose(one.score(query), other.score(query), rtol=1e-3, atol=1e-4)
    one.save(tmp_path / "model.keras")
    np.testing.assert_allclose(Classifier.load(tmp_path / "model.keras").score(query), one.score(query), rtol=1e-6)
    for old, now in zip(before, method.body.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)


def test_batch_statistics_are_the_stored_ones(toy_features):
    body = keras.Sequential([keras.Input((32,)), keras.layers.BatchNormalization(), keras.layers.Dense(8)])
    _, _, _, inputs = one_episode(apart(toy_features)[1])
    method = learner(body)
    together = np.asarray(method.logits(*inputs, 3))
    alone = np.asarray(method.logits(*inputs[:2], inputs[2][:, :1], 3))
    np.testing.assert_allclose(alone[0, 0], together[0, 0], rtol=1e-5, atol=1e-6)


def test_a_head_may_begin_above_the_loss_of_a_guess(toy_features):
    """As prototypes of long vectors do, which are sure of their errors."""
    support = one_episode(apart(toy_features)[1])[0]
    y = np.roll(support.y, 1)
    long = replace(support, x=30 * support.x, y=y)
    method = learner(identity(32), head=prototype_head, step_size=1e-7, adapts_body=False)
    scores = method.fit(long, table(3)).score(long.x)
    assert -log_softmax(scores.astype(np.float64), axis=1)[np.arange(len(y)), y].mean() > np.log(3)


def test_steps_that_diverge_stop_with_their_size(toy_features):
    support = one_episode(apart(toy_features)[1])[0]
    told = r"X: expected steps that lower .* loss below 1\.1, received (nan|\d\S*)\. Lower its step_size, which is 50\."
    with pytest.raises(ValueError, match=told):
        learner(steps=6, step_size=50.0).fit(support, table(3))
