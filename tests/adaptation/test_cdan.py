"""CDAN's products and weights against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from zsltf.adaptation.cdan import CDAN, Products, certainty

RNG = np.random.default_rng(0)
A, SHARES = RNG.normal(size=(6, 4)).astype(np.float32), RNG.dirichlet(np.ones(3), 6).astype(np.float32)


def test_few_products_are_all_taken():
    products = Products(4, 3, 12, 0)
    expected = np.stack([np.outer(a, share).ravel() for a, share in zip(A, SHARES, strict=True)])
    np.testing.assert_allclose(products(tf.constant(A), tf.constant(SHARES)), expected, rtol=1e-6)


def test_random_projections_keep_inner_products_on_average():
    products = Products(4, 3, 11, 0)
    assert products.width == 11
    found = np.mean(
        [(lambda v: v @ v.T)(np.asarray(Products(4, 3, 11, seed)(A, SHARES))) for seed in range(3000)], axis=0
    )
    expected = (A @ A.T) * (SHARES @ SHARES.T)
    np.testing.assert_allclose(found, expected, atol=0.15 * np.abs(expected).max())


def test_sure_examples_count_more_and_the_mean_is_one():
    weights = np.asarray(certainty(tf.constant(np.array([[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]], np.float32))))
    raw = 1 + np.exp([0, -np.log(3), -np.log(2)])
    np.testing.assert_allclose(weights, raw / raw.mean(), rtol=1e-4)


def test_no_products_are_refused():
    with pytest.raises(ValueError, match=r"CDAN.most: expected a number > 0, received 0"):
        CDAN(most=0)
