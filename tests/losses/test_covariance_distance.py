"""The covariance distance against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from zsltf.losses.covariance_distance import covariance_distance, covariance_gap


def test_is_the_published_formula():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(9, 4)), 2 * rng.normal(size=(7, 4)) + 3
    apart = np.cov(source, rowvar=False) - np.cov(target, rowvar=False)
    found = covariance_distance(tf.constant(source), tf.constant(target))
    np.testing.assert_allclose(found, np.sum(apart**2) / (4 * 4**2), rtol=1e-10)


def test_is_zero_for_the_same_batch_and_for_a_shifted_one():
    x = tf.constant(np.random.default_rng(1).normal(size=(20, 5)))
    np.testing.assert_allclose([covariance_distance(x, x), covariance_distance(x, x + 4.0)], 0, atol=1e-20)


@pytest.mark.parametrize("width", [4, 40])
def test_few_long_vectors_give_the_same_gap_and_slope(width):
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(9, width)), 2 * rng.normal(size=(7, width)) + 3
    apart = np.cov(one, rowvar=False) - np.cov(other, rowvar=False)
    x = tf.constant(one)
    with tf.GradientTape() as tape:
        tape.watch(x)
        gap = covariance_gap(x, tf.constant(other))
    np.testing.assert_allclose(gap, np.sum(apart**2), rtol=1e-10)
    slope = 4 * (one - one.mean(axis=0)) @ apart / 8  # d |X'X / 8 - C|^2 / dX, whose columns have mean 0
    np.testing.assert_allclose(tape.gradient(gap, x), slope, rtol=1e-8, atol=1e-8)
