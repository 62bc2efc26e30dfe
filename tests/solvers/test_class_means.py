import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.solvers.class_means import class_means


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 6))
def test_it_is_the_weighted_average_of_each_class(seed, count, num_classes):
    rng = np.random.default_rng(seed)
    x, y, weights = rng.normal(size=(count, 3)), rng.integers(0, num_classes, count), rng.integers(0, 3, count)
    means = class_means(x, y, weights.astype(float), num_classes)
    assert means.shape == (num_classes, 3)
    for label in range(num_classes):
        rows = y == label
        if weights[rows].sum():
            expected = np.average(x[rows], axis=0, weights=weights[rows])
            np.testing.assert_allclose(means[label], expected, rtol=1e-9, atol=1e-12)
        else:
            assert np.isnan(means[label]).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_weight_of_two_is_the_example_twice(seed):
    rng = np.random.default_rng(seed)
    x, y, weights = rng.normal(size=(8, 3)), np.arange(8) % 3, rng.integers(1, 4, 8)
    repeated = class_means(x.repeat(weights, 0), y.repeat(weights), np.ones(weights.sum()), 3)
    np.testing.assert_allclose(class_means(x, y, weights.astype(float), 3), repeated, rtol=1e-9, atol=1e-12)


def test_scale_of_the_weights_and_order_of_the_examples_do_not_matter():
    rng = np.random.default_rng(0)
    x, y, weights, order = rng.normal(size=(8, 3)), np.arange(8) % 3, rng.random(8), rng.permutation(8)
    means = class_means(x, y, weights, 3)
    np.testing.assert_allclose(class_means(x[order], y[order], 7 * weights[order], 3), means)


def test_float32_features_are_averaged_in_float64():
    x = np.full((100_000, 1), 0.1, np.float32)
    mean = class_means(x, np.zeros(100_000, int), np.ones(100_000, np.float32), 1)
    assert mean.dtype == np.float64
    assert mean[0, 0] == pytest.approx(float(np.float32(0.1)), rel=1e-12)
