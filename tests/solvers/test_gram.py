import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.solvers.gram import Gram


def matrix(rows, columns, rank, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_it_is_the_singular_value_decomposition(rows, columns, rank, seed):
    x = matrix(rows, columns, min(rank, rows, columns), seed)
    values, vectors = Gram(x).spectrum
    singular = np.linalg.svd(x)[1]
    count = np.linalg.matrix_rank(x, tol=1e-6 * singular[0])
    assert vectors.shape == (columns, len(values))
    np.testing.assert_allclose(values[:count], singular[:count] ** 2, rtol=1e-9, atol=1e-13 * values[0])
    assert (values[count:] < 1e-10 * values[0]).all()  # what rounding leaves of rank
    assert (np.diff(values) <= 0).all()
    np.testing.assert_allclose(np.linalg.norm(x @ vectors, axis=0) ** 2, values, rtol=1e-6, atol=1e-10 * values[0])


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_vectors_are_orthonormal_and_rebuild_the_gram_matrix(rows, columns, seed):
    rng = np.random.default_rng(seed)
    left, _, right = np.linalg.svd(rng.normal(size=(rows, columns)), full_matrices=False)
    x = left * rng.uniform(1, 10, len(right)) @ right  # of full rank, well conditioned
    values, vectors = Gram(x).spectrum
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(right)), atol=1e-11)
    np.testing.assert_allclose(vectors * values @ vectors.T, x.T @ x, atol=1e-10)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(4, 9), (9, 4)]))
def test_float32_is_decomposed_in_float64(seed, shape):
    x = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    values, vectors = Gram(x).spectrum
    assert values.dtype == vectors.dtype == np.float64
    np.testing.assert_allclose(values, np.linalg.svd(x.astype(np.float64))[1] ** 2, rtol=1e-10)


@pytest.mark.parametrize("shape", [(30, 8), (8, 30), (8, 8)])
def test_the_rank_is_the_number_of_values(shape):
    assert len(Gram(matrix(*shape, 3, 0)).spectrum[0]) == 3
    x = matrix(*shape, min(shape), 0)
    x -= x.mean(axis=0)  # as for principal components: one row less
    assert len(Gram(x).spectrum[0]) == min(shape[0] - 1, shape[1])


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
def test_zeros_have_rank_zero(shape):
    values, vectors = Gram(np.zeros(shape)).spectrum
    assert values.shape == (0,)
    assert vectors.shape == (shape[1], 0)
