import numpy as np
import pytest
from scipy.optimize import minimize

from zsltf.layers.simplex_mixture import simplex_mixture


@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_the_shares_are_those_of_a_solver_of_quadratic_programmes(ridge):
    rng = np.random.default_rng(0)
    points, rows = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    shares = np.asarray(simplex_mixture(points, ridge=ridge)(rows.astype(np.float32)))
    for row, got in zip(rows, shares, strict=True):
        found = minimize(
            lambda p, row=row: ((p @ points - row) ** 2).sum() + ridge * (p**2).sum(),
            np.full(5, 0.2),
            bounds=[(0, 1)] * 5,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
            tol=1e-12,
        )
        np.testing.assert_allclose(got, found.x, atol=2e-3)


def test_a_point_is_itself_and_a_row_far_away_is_its_nearest_corner():
    points = np.eye(3)
    np.testing.assert_allclose(simplex_mixture(points, ridge=1e-4)(np.eye(3, dtype=np.float32)), np.eye(3), atol=1e-3)
    far = simplex_mixture(points, ridge=1e-4)(np.array([[9, 0, 0]], np.float32))
    np.testing.assert_allclose(far, [[1, 0, 0]], atol=1e-5)


def test_the_shares_are_the_best_of_many_wide_points_with_a_common_offset():
    rng = np.random.default_rng(1)
    points = 3 * rng.normal(size=(60, 40)) * np.linspace(0.05, 1, 40) + 20
    rows = points[:4] + rng.normal(size=(4, 40))
    shares = np.asarray(simplex_mixture(points, ridge=0.01)(rows.astype(np.float32)), np.float64)
    rest = shares @ points - rows
    value = (rest**2).sum(axis=1) + 0.01 * (shares**2).sum(axis=1)
    slope = 2 * (rest @ points.T + 0.01 * shares)
    most_above = (shares * slope).sum(axis=1) - slope.min(axis=1)  # what a convex function can be above its minimum
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (most_above < 0.01 * value).all()
