"""MAML, ANIL, ProtoMAML and Reptile: what each trains, and how."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from fewshot.networks import SHORT, apart, dense_network, one_episode, table

from zsltf.fewshot.anil import ANIL
from zsltf.fewshot.maml import MAML
from zsltf.fewshot.proto_maml import ProtoMAML
from zsltf.fewshot.reptile import Reptile, reptile_update
from zsltf.training.episode_batches import Batch
from zsltf.training.gradient_learner import GradientLearner
from zsltf.training.inner_loop import InnerLoop

METHODS = (MAML, ANIL, ProtoMAML, Reptile)
TRAINING = replace(SHORT, steps=3)


@pytest.mark.parametrize("method", METHODS)
def test_a_copy_of_the_network_is_trained_and_serves_other_numbers_of_ways(toy_features, method):
    base, other = apart(toy_features)
    network = dense_network()
    before = network.get_weights()
    learner = method(training=TRAINING, step_size=0.01).learn(base, network=network)
    for old, given, trained in zip(before, network.get_weights(), learner.body.get_weights(), strict=True):
        np.testing.assert_array_equal(old, given)
        assert np.abs(old - trained).max() > 1e-6
    support, query, truth, _ = one_episode(other, ways=4)
    assert (learner.fit(support, table(4)).score(query).argmax(axis=1) == truth).mean() > 0.4
    assert learner.inner.steps == method().steps_at_use


@pytest.mark.parametrize("method", METHODS)
def test_without_a_network_the_head_alone_takes_steps(toy_features, method):
    base, other = apart(toy_features)
    learner = method(step_size=0.01).learn(base)
    support, query, truth, _ = one_episode(other)
    assert (learner.fit(support, table(3)).score(query).argmax(axis=1) == truth).mean() > 0.5


@pytest.mark.parametrize("method", [MAML, ANIL, ProtoMAML])
def test_first_and_second_order_train_different_weights(toy_features, method):
    base = apart(toy_features)[0]
    first, second = (
        method(first_order=order, training=TRAINING, step_size=0.05).learn(base, network=dense_network())
        for order in (True, False)
    )
    assert np.abs(first.body.get_weights()[0] - second.body.get_weights()[0]).max() > 1e-6


@pytest.mark.parametrize(("method", "size"), [(MAML, "MAML"), (Reptile, "Reptile")])
def test_a_training_that_diverges_says_the_step_size(toy_features, method, size):
    base = apart(toy_features)[0]
    told = rf"a finite loss, received (nan|inf) in step \d\. Lower {size}\.step_size, which is 1e\+20"
    with pytest.raises(ValueError, match=told):
        method(training=TRAINING, step_size=1e20).learn(base, network=dense_network())


def fixed_head(embedded, support_y, ways):
    kernel = np.random.default_rng(0).normal(size=(1, 8, ways)).astype(np.float32)
    return tf.tile(kernel, (tf.shape(support_y)[0], 1, 1)), tf.zeros((tf.shape(support_y)[0], 1, ways))


def test_reptile_of_one_step_goes_in_the_direction_of_joint_sgd(toy_features):
    """With a head that says something of the body: the mean over tasks of -rate step_size gradient."""
    base, body = apart(toy_features)[0], dense_network()
    inner = InnerLoop(steps=9, step_size=0.01)
    learner = GradientLearner(method="Reptile", body=body, head=fixed_head, inner=inner, adapts_body=True)
    training = replace(SHORT, steps=4)
    rows = [base.x[np.arange(n).reshape(2, -1) * 7 % len(base)] for n in (12, 18)]  # 2 shots, 3 queries, 3 ways
    y = [tf.constant(np.tile(np.repeat(np.arange(3), n), (2, 1)), tf.int32) for n in (2, 3)]
    batch = Batch(tf.constant(rows[0]), y[0], tf.constant(rows[1]), y[1])
    start = body.get_weights()
    kernel = fixed_head(None, y[0], 3)[0][0]
    with tf.GradientTape() as tape:
        losses = []
        for support, query in zip(*rows, strict=True):
            scores = body(np.concatenate([support, query])) @ kernel
            truth = np.concatenate([y[0][0], y[1][0]])
            losses.append(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(truth, scores)))
        loss = tf.reduce_mean(losses)
    slopes = tape.gradient(loss, body.trainable_variables)
    reptile_update(learner, training, 1, 0.5)(tf.constant(2), batch)  # half of the training is over
    for before, after, slope in zip(start, body.get_weights(), slopes, strict=True):
        np.testing.assert_allclose(after - before, -0.25 * 0.01 * slope.numpy(), rtol=2e-2, atol=2e-7)


def test_every_step_of_reptile_sees_other_examples_of_every_way(toy_features):
    base, seen = apart(toy_features)[0], []

    class Spy:
        trainable_variables = dense_network().trainable_variables

    def embedded(body, examples):
        tf.py_function(lambda x: seen.append(x.numpy()), [examples], [])
        return tf.zeros((1, examples.shape[1], 8)) + 0 * tf.reduce_sum(examples)

    learner = type("Learner", (), {"body": Spy, "embedded": staticmethod(embedded), "head": staticmethod(fixed_head)})
    learner.factors = staticmethod(lambda count: (1.0,) * count)
    learner.inner = InnerLoop(steps=1, step_size=0.0)
    training = replace(SHORT, episodes=1)
    rows = base.x[np.arange(15)][None]
    y = [tf.constant(np.repeat(np.arange(3), n)[None], tf.int32) for n in (2, 3)]
    support, query = rows[:, :6], rows[:, 6:]
    tf.function(reptile_update(learner, training, 2, 1.0))(
        tf.constant(0), Batch(tf.constant(support), y[0], tf.constant(query), y[1])
    )
    parts = {one.tobytes(): one for one in seen}.values()
    assert [one.shape for one in parts] == [(1, 6, 32)] * 2
    used = np.concatenate([one[0] for one in parts])
    assert len(np.unique(used, axis=0)) == 12
    first = {row.tobytes() for row in np.concatenate([support[0, :2], query[0, :3]])}
    assert all({row.tobytes() for row in one[0, :2]} < first for one in parts)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: MAML(steps=0), r"MAML\.steps: expected a number > 0, received 0"),
        (lambda: ANIL(step_size=-1.0), r"ANIL\.step_size: expected a number > 0, received -1"),
        (lambda: ProtoMAML(steps_at_use=0), r"ProtoMAML\.steps_at_use: expected a number > 0, received 0"),
        (lambda: Reptile(outer_step=0.0), r"Reptile\.outer_step: expected a number > 0, received 0"),
        (lambda: Reptile(steps=6, training=SHORT), r"Reptile\.training: expected 6 shots and queries, one a step, rec"),
    ],
)
def test_numbers_out_of_range_are_named(make, told):
    with pytest.raises(ValueError, match=told):
        make()
