"""The covariance distance against NumPy."""

import numpy as np
import tensorflow as tf

from zsltf.losses.covariance_distance import covariance_distance


def test_is_the_published_formula():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(9, 4)), 2 * rng.normal(size=(7, 4)) + 3
    apart = np.cov(source, rowvar=False) - np.cov(target, rowvar=False)
    found = covariance_distance(tf.constant(source), tf.constant(target))
    np.testing.assert_allclose(found, np.sum(apart**2) / (4 * 4**2), rtol=1e-10)


def test_is_zero_for_the_same_batch_and_for_a_shifted_one():
    x = tf.constant(np.random.default_rng(1).normal(size=(20, 5)))
    np.testing.assert_allclose([covariance_distance(x, x), covariance_distance(x, x + 4.0)], 0, atol=1e-20)
