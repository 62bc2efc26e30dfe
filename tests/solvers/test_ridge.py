import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from zsltf.solvers.ridge import solve_ridge


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_it_is_scikit_learns_ridge_with_a_row_an_image(seed, ridge):
    rng = np.random.default_rng(seed)
    s, y = rng.normal(size=(5, 3)), rng.integers(0, 4, 12)  # the last class has no image
    x = rng.normal(size=(12, 6))
    sums = np.stack([x[y == c].sum(axis=0) for c in range(5)])
    expected = Ridge(alpha=ridge, fit_intercept=False).fit(s[y], x).coef_.T
    np.testing.assert_allclose(solve_ridge(s, np.bincount(y, minlength=5), sums, ridge), expected, rtol=1e-6, atol=1e-9)
