"""Unrolled codes against scikit-learn's lasso."""

import numpy as np
import pytest
from sklearn.decomposition import sparse_encode

from zsltf.layers.sparse_code import SparseCode, sparse_code


def problem(atoms, width, seed=0):
    rng = np.random.default_rng(seed)
    dictionary = rng.normal(size=(atoms, width))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    return dictionary, rng.normal(size=(20, width))


@pytest.mark.parametrize(("atoms", "width"), [(6, 10), (30, 12)])
def test_comes_to_the_codes_of_the_lasso(atoms, width):
    dictionary, x = problem(atoms, width)
    expected = sparse_encode(x, dictionary, algorithm="lasso_cd", alpha=0.3, max_iter=10_000)
    found = np.asarray(sparse_code(dictionary, 0.3, 1000)(x))
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert ((found == 0) == (np.abs(expected) < 1e-9)).mean() > 0.95  # zeros are zeros, not small numbers


def test_after_a_hundred_iterations_the_objective_is_within_a_thousandth():
    dictionary, x = problem(40, 16)

    def objective(code):
        return (((x - code @ dictionary) ** 2).sum(axis=1) / 2 + 0.2 * np.abs(code).sum(axis=1)).mean()

    best = objective(sparse_encode(x, dictionary, algorithm="lasso_cd", alpha=0.2, max_iter=10_000))
    assert objective(np.asarray(sparse_code(dictionary, 0.2, 100)(x))) < 1.001 * best


def test_a_penalty_above_every_product_leaves_nothing():
    dictionary, x = problem(5, 4)
    most = float(np.abs(x @ dictionary.T).max())
    np.testing.assert_array_equal(sparse_code(dictionary, 1.001 * most, 20)(x), 0)


def test_maps_are_coded_place_by_place():
    dictionary, x = problem(5, 4)
    layer = sparse_code(dictionary, 0.1, 30)
    np.testing.assert_allclose(layer(x.reshape(2, 5, 2, 4)), np.reshape(layer(x), (2, 5, 2, 5)), atol=1e-6)


@pytest.mark.parametrize("wrong", [{"penalty": 0.0}, {"atoms": 0}, {"iterations": 0}])
def test_what_makes_no_code_is_refused(wrong):
    with pytest.raises(ValueError, match=rf"SparseCode.{next(iter(wrong))}: expected a number > 0, received 0"):
        SparseCode(**{"atoms": 3, "penalty": 0.1, **wrong})
