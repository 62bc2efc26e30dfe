import numpy as np
import pytest

from zsltf.solvers.whitening import whitening


@pytest.mark.parametrize("shrinkage", [0.01, 0.3, 1.0])
def test_the_shrunk_covariance_becomes_the_identity(shrinkage):
    x = np.random.default_rng(0).normal(size=(5, 8))  # of rank 5
    covariance = x.T @ x
    kernel = whitening(covariance, shrinkage)
    shrunk = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / 8 * np.eye(8)
    np.testing.assert_allclose(kernel.T @ shrunk @ kernel, np.eye(8), atol=1e-9)


def test_no_variance_is_left_as_it_is():
    np.testing.assert_allclose(np.abs(whitening(np.zeros((3, 3)), 0.5)).sum(axis=0), np.sqrt(2) * np.ones(3))
