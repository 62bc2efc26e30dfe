import numpy as np
from scipy.special import logsumexp

from zsltf.similarities.log_sum_exp import LogSumExp


def test_it_sums_over_the_variants_that_are_there():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 5)).astype(np.float32), rng.normal(size=(3, 2, 5)).astype(np.float32)
    b[1, 1] = 0
    expected = np.stack([logsumexp(a @ b[c, : 1 if c == 1 else 2].T, axis=1) for c in range(3)], axis=1)
    np.testing.assert_allclose(LogSumExp(scale=2.0)(a, b), 2 * expected, rtol=1e-4, atol=1e-5)


def test_of_log_probabilities_it_is_the_probability_of_any_variant():
    p = np.array([[0.2, 0.5, 0.3]], np.float32)
    words = np.array([[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 0]]], np.float32)
    np.testing.assert_allclose(np.exp(LogSumExp()(np.log(p), words)), [[0.5, 0.5]], rtol=1e-5)
