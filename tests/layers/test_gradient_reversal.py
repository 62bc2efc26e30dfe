"""Gradient reversal against what it says."""

import numpy as np
import pytest
import tensorflow as tf

from zsltf.layers.gradient_reversal import GradientReversal


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 7.0])
def test_the_value_is_bit_equal_and_the_gradient_reversed(strength):
    layer = GradientReversal(strength)
    x = np.random.default_rng(0).normal(size=(50, 7)) * 10.0 ** np.arange(-3, 4)
    x = tf.Variable(x.astype(np.float32))
    with tf.GradientTape() as tape:
        y = layer(x)
        total = tf.reduce_sum(y * y)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_allclose(tape.gradient(total, x), -strength * 2 * x.numpy(), rtol=1e-6)


def test_the_strength_can_be_assigned_inside_a_compiled_step():
    layer = GradientReversal(0.0)
    x = tf.Variable([1.0, 2.0])

    @tf.function
    def slope(strength):
        layer.strength.assign(strength)
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(layer(x))
        return tape.gradient(total, x)

    for strength in (0.0, 0.25, 1.0):
        np.testing.assert_allclose(slope(tf.constant(strength)), [-strength] * 2)
