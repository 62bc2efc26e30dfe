import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.solvers.ridge import solve_ridge


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.sampled_from([3, 9]))
def test_it_is_least_squares_with_a_row_an_image(seed, ridge, attributes):
    rng = np.random.default_rng(seed)
    s, y = rng.normal(size=(5, attributes)), rng.integers(0, 4, 12)  # the last class has no image
    x = rng.normal(size=(12, 6))
    sums = np.stack([x[y == c].sum(axis=0) for c in range(5)])
    penalised = np.concatenate([s[y], np.sqrt(ridge) * np.eye(attributes)])
    expected = np.linalg.lstsq(penalised, np.concatenate([x, np.zeros((attributes, 6))]), rcond=None)[0]
    np.testing.assert_allclose(solve_ridge(s, np.bincount(y, minlength=5), sums, ridge), expected, rtol=1e-6, atol=1e-9)
