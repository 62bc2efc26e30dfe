"""The distance of moments against NumPy."""

import numpy as np
import tensorflow as tf

from zsltf.generalization.domain_coral import moment_distance


def test_is_the_mean_squared_difference_of_means_and_covariances():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(9, 3)), 2 * rng.normal(size=(7, 3)) + 1
    means = np.mean((one.mean(axis=0) - other.mean(axis=0)) ** 2)
    covariances = np.mean((np.cov(one, rowvar=False) - np.cov(other, rowvar=False)) ** 2)
    np.testing.assert_allclose(moment_distance(tf.constant(one), tf.constant(other)), means + covariances)


def test_is_zero_for_the_same_batch():
    x = tf.constant(np.random.default_rng(1).normal(size=(6, 4)))
    assert float(moment_distance(x, x)) == 0
