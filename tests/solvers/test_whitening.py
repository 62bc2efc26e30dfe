import numpy as np
import pytest

from zsltf.solvers.whitening import shrunk, triangular_whitening, whitening


@pytest.mark.parametrize("shrinkage", [0.01, 0.3, 1.0])
def test_the_shrunk_covariance_becomes_the_identity(shrinkage):
    x = np.random.default_rng(0).normal(size=(5, 8))  # of rank 5
    covariance = x.T @ x
    kernel = whitening(covariance, shrinkage)
    expected = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / 8 * np.eye(8)
    np.testing.assert_allclose(kernel.T @ expected @ kernel, np.eye(8), atol=1e-9)


def test_no_variance_is_left_as_it_is():
    np.testing.assert_allclose(np.abs(whitening(np.zeros((3, 3)), 0.5)).sum(axis=0), np.sqrt(2) * np.ones(3))


def test_the_triangular_one_whitens_too():
    x = np.random.default_rng(0).normal(size=(9, 20))
    covariance = x.T @ x / 9
    whiten = triangular_whitening(covariance, 0.3)
    np.testing.assert_allclose(whiten.T @ shrunk(covariance, 0.3) @ whiten, np.eye(20), atol=1e-9)
    np.testing.assert_array_equal(whiten, np.triu(whiten))
    np.testing.assert_allclose(triangular_whitening(covariance, 0.3, x), x @ whiten, atol=1e-9)
