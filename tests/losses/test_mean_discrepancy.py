"""The maximum mean discrepancy against loops over pairs."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from zsltf.losses.mean_discrepancy import mean_discrepancy


def test_is_the_unbiased_estimate_over_pairs():
    rng = np.random.default_rng(0)
    source, target, widths = rng.normal(size=(6, 3)), rng.normal(size=(5, 3)) + 1, (0.5, 2.0)
    both = np.concatenate([source, target])
    mean = np.mean([np.sum((a - b) ** 2) for a, b in itertools.permutations(both, 2)])

    def kernel(a, b):
        return np.mean([np.exp(-np.sum((a - b) ** 2) / (2 * width * mean)) for width in widths])

    within = sum(np.mean([kernel(a, b) for a, b in itertools.permutations(x, 2)]) for x in (source, target))
    across = np.mean([kernel(a, b) for a, b in itertools.product(source, target)])
    found = mean_discrepancy(tf.constant(source), tf.constant(target), widths)
    np.testing.assert_allclose(found, within - 2 * across, rtol=1e-10)


def test_is_about_zero_for_one_distribution_and_above_for_two():
    rng = np.random.default_rng(1)
    same = [float(mean_discrepancy(*(tf.constant(rng.normal(size=(30, 4))) for _ in range(2)))) for _ in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(200)
    assert min(same) < 0
    other = mean_discrepancy(*(tf.constant(rng.normal(size=(30, 4)) + shift) for shift in (0, 1)))
    assert float(other) == pytest.approx(0.5, abs=0.4)
    assert float(other) > max(same)


def test_its_gradient_is_finite_where_examples_coincide():
    x = tf.Variable(np.zeros((4, 3), np.float32))
    with tf.GradientTape() as tape:
        value = mean_discrepancy(x, tf.zeros((4, 3)))
    assert np.isfinite(tape.gradient(value, x)).all()
