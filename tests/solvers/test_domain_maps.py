"""Maps between domains against what they promise."""

import numpy as np
from scipy.linalg import sqrtm
from sklearn.decomposition import PCA

from zsltf.solvers.domain_maps import recoloured, subspaces


def sample(seed, count, shift):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 5)) @ rng.normal(size=(5, 5)) + shift


def test_without_ridge_the_source_gets_the_targets_mean_and_covariance():
    source, target = sample(0, 40, 1), sample(1, 30, -2)
    mapped = recoloured(source, target, 0.0)
    np.testing.assert_allclose(np.cov(mapped, rowvar=False), np.cov(target, rowvar=False), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(mapped.mean(axis=0), target.mean(axis=0), rtol=1e-8)


def test_the_ridge_is_a_share_of_the_targets_mean_variance():
    source, target = sample(2, 40, 0), sample(3, 30, 0)
    own, other = (np.cov(x, rowvar=False) for x in (source, target))
    added = 0.3 * np.trace(other) / 5 * np.eye(5)
    expected = (source - source.mean(axis=0)) @ np.linalg.inv(sqrtm(own + added).real) @ sqrtm(other + added).real
    np.testing.assert_allclose(recoloured(source, target, 0.3), expected + target.mean(axis=0), rtol=1e-6, atol=1e-8)


def test_identical_domains_stay_as_they_are():
    x = sample(4, 40, 3)
    np.testing.assert_allclose(recoloured(x, x, 0.1), x, rtol=1e-8)


def test_subspaces_are_the_principal_ones_up_to_signs():
    source, target = sample(5, 50, 1), sample(6, 50, 0)
    mapped, basis, mean = subspaces(source, target, 3)
    one, other = (PCA(3).fit(x) for x in (source, target))
    np.testing.assert_allclose(np.abs(basis.T), np.abs(other.components_), rtol=1e-6, atol=1e-8)
    expected = one.transform(source) @ one.components_ @ other.components_.T
    np.testing.assert_allclose(np.abs(mapped), np.abs(expected), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(mean, target.mean(axis=0))


def test_aligned_with_itself_a_domain_is_its_own_projection():
    x = sample(7, 50, 2)
    mapped, basis, mean = subspaces(x, x, 3)
    np.testing.assert_allclose(mapped, (x - mean) @ basis, rtol=1e-8, atol=1e-10)
