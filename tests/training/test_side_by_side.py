"""Batches of several sets side by side: what a step sees, and what stays when training breaks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.training.descent import Descent
from zsltf.training.side_by_side import descending, train_side_by_side


def seen_rows(descent, *lengths):
    """The rows of each set that every step got."""
    logs = [tf.Variable(np.zeros(length, np.float32)) for length in lengths]

    def step(batches, progress):
        for log, (rows,) in zip(logs, batches, strict=True):
            log.scatter_nd_add(rows[:, None], tf.ones_like(rows, tf.float32))
        return progress

    train_side_by_side(step, [], descent, [(np.arange(length, dtype=np.int32),) for length in lengths])
    return [log.numpy() for log in logs]


def test_an_epoch_is_a_pass_over_the_first_set_and_the_others_go_round():
    first, shorter, longer = seen_rows(Descent(epochs=1, batch_size=5), 20, 8, 50)
    np.testing.assert_array_equal(first, 1)
    assert shorter.sum() == longer.sum() == 20
    assert set(shorter) <= {2, 3}
    assert set(longer) <= {0, 1}


def test_what_a_last_batch_leaves_over_comes_in_other_epochs():
    (rows,) = seen_rows(Descent(epochs=30, batch_size=8), 20)
    assert rows.sum() == 30 * 16
    assert rows.min() > 0.5 * rows.mean()


def test_progress_rises_over_the_whole_training():
    found = tf.Variable(np.zeros(12, np.float32))

    def step(batches, progress):
        found.scatter_nd_update([[tf.cast(tf.round(progress * 12), tf.int32)]], [progress])
        return progress

    train_side_by_side(step, [], Descent(epochs=3, batch_size=5), [(np.zeros(20),)])
    np.testing.assert_allclose(found, np.arange(12) / 12, atol=1e-6)


def test_descends_as_keras_does_on_the_same_batches():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)).astype(np.float32), rng.normal(size=12).astype(np.float32)
    weight = keras.Variable(np.zeros((3, 1), np.float32))
    descent = Descent(epochs=4, batch_size=12, learning_rate=0.1, penalty=0.3, drop_after=2)

    def loss(batches, _):
        ((x, y),) = batches
        return tf.reduce_mean((tf.squeeze(x @ weight, 1) - y) ** 2)

    train_side_by_side(descending(loss, [weight], descent), [weight], descent, [(x, y)])
    other, adam = tf.Variable(np.zeros((3, 1), np.float32)), keras.optimizers.Adam(0.1)
    for epoch in range(4):
        adam.learning_rate = 0.1 if epoch < 2 else 0.01
        with tf.GradientTape() as tape:
            value = tf.reduce_mean((tf.squeeze(x @ other, 1) - y) ** 2) + 0.3 * tf.nn.l2_loss(other)
        adam.apply([tape.gradient(value, other)], [other])
    np.testing.assert_allclose(weight.numpy(), other, rtol=1e-4)


def growing(until):
    """A step that counts, and whose loss is not finite from a step on."""
    count = keras.Variable(0.0)

    def step(batches, progress):
        count.assign_add(1.0)
        return tf.where(count > until, np.nan, 0.0)

    return count, step


def test_a_loss_that_breaks_leaves_the_weights_of_the_epoch_before():
    count, step = growing(until=9)
    with pytest.warns(UserWarning, match=r"The loss is not finite in epoch 3; epoch 2's weights stay. Lower learning_"):
        train_side_by_side(step, [count], Descent(epochs=5, batch_size=5), [(np.zeros(20),)])
    assert float(count) == 8


def test_a_loss_that_breaks_at_once_is_refused():
    count, step = growing(until=1)
    with pytest.raises(ValueError, match=r"training: expected a finite loss, received nan in the first epoch. Lower"):
        train_side_by_side(step, [count], Descent(epochs=5, batch_size=5), [(np.zeros(20),)])
    assert float(count) == 0
