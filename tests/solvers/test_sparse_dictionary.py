"""Dictionaries against the planted one, and against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import DictionaryLearning, sparse_encode

from zsltf.layers.sparse_code import sparse_code
from zsltf.solvers.sparse_dictionary import lasso_codes, sparse_dictionary


def planted(count=400, atoms=8, width=12):
    """Examples of two atoms each."""
    rng = np.random.default_rng(0)
    dictionary = rng.normal(size=(atoms, width))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    codes = np.zeros((count, atoms))
    for row in codes:
        row[rng.permutation(atoms)[:2]] = rng.choice([-1, 1], 2) * rng.uniform(1, 2, 2)
    return dictionary, codes @ dictionary


def learned(x, **changes):
    settings = {"iterations": 100, "epochs": 30, "batch_size": 50, "seed": 0}
    return sparse_dictionary(x, 8, 0.1, **{**settings, **changes})


def objective(x, dictionary):
    code = sparse_encode(x, dictionary.astype(float), algorithm="lasso_cd", alpha=0.1, max_iter=100_000)
    return (((x - code @ dictionary) ** 2).sum() / 2 + 0.1 * np.abs(code).sum()) / len(x)


def test_finds_the_planted_atoms_up_to_sign():
    dictionary, x = planted()
    near = np.abs(dictionary @ learned(x).T).max(axis=1)
    assert near.min() > 0.98


def test_is_as_good_as_the_alternation_of_scikit_learn():
    _, x = planted()
    other = DictionaryLearning(8, alpha=0.1, max_iter=100, fit_algorithm="lars", random_state=0).fit(x).components_
    assert objective(x, learned(x)) < 1.02 * objective(x, other)


def test_atoms_have_norm_one_and_more_of_them_than_examples_are_no_harm():
    _, x = planted(count=5)
    found = learned(x, epochs=2)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_passes_make_it_better():
    _, x = planted()
    assert objective(x, learned(x, epochs=20)) < 0.9 * objective(x, learned(x, epochs=1))


@pytest.mark.parametrize("iterations", [1, 40])
def test_its_lasso_is_the_layers(iterations):
    dictionary, x = planted(count=10)
    layer = sparse_code(dictionary, 0.1, iterations)
    np.testing.assert_allclose(layer(x), lasso_codes(x, dictionary, 0.1, iterations), atol=1e-5)
