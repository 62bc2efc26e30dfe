"""Keys of caches against Adam written out, on gradients by TensorFlow."""

import numpy as np
import pytest
import tensorflow as tf

from zsltf.solvers.support_caches import KeySteps, likeness, trained_keys
from zsltf.solvers.support_heads import balanced


def test_trained_keys_are_those_of_adam_with_decoupled_decay():
    rng = np.random.default_rng(0)
    y = np.array([[0, 0, 1, 2]])
    units = rng.normal(size=(1, 4, 6))
    units = (units / np.sqrt((units**2).sum(axis=2, keepdims=True))).astype(np.float32)
    targets, weights = balanced(y, 3)
    first, values = rng.normal(size=(1, 4, 3)).astype(np.float32), 2.0 * np.asarray(targets)
    found = trained_keys(units, values, targets, weights, first, 3.0, KeySteps(count=6, learning_rate=0.05))
    keys, mean, square = tf.constant(units), 0.0, 0.0
    for step in range(6):
        with tf.GradientTape() as tape:
            tape.watch(keys)
            scores = first + likeness(units, keys, 3.0) @ values
            loss = tf.reduce_sum(weights * tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores))
        slope = tape.gradient(loss, keys).numpy()
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        rate = 0.05 * (1 + np.cos(np.pi * step / 6)) / 2
        move = mean / (1 - 0.9 ** (step + 1)) / (np.sqrt(square / (1 - 0.999 ** (step + 1))) + 1e-4)
        keys = keys * (1 - 0.01 * rate) - rate * move
    assert abs(np.asarray(found) - units).max() > 0.05
    np.testing.assert_allclose(found, keys, atol=2e-5)


def test_no_step_leaves_the_support():
    units = np.eye(3, dtype=np.float32)[None]
    values = np.eye(3, dtype=np.float32)[None]
    found = trained_keys(units, values, values, np.full((1, 3), 1 / 3), 0 * values, 1.0, KeySteps())
    np.testing.assert_array_equal(found, units)


def test_settings_are_checked():
    with pytest.raises(ValueError, match=r"KeySteps\.count: expected 0 or more, received -1"):
        KeySteps(count=-1)
    with pytest.raises(ValueError, match=r"KeySteps\.learning_rate: expected a number > 0, received 0"):
        KeySteps(learning_rate=0.0)
