"""Columns that are solved together against SciPy's minimum of each, and against themselves alone."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from zsltf.solvers.newton import newton

RIDGE = np.array([[1e-4], [1e-2], [0.0]])


def logistic(z, targets):
    p = expit(z)
    return np.logaddexp(0, z) - targets * z, p - targets, p * (1 - p)


@pytest.fixture
def problem():
    """One column whose sides can be separated, one of noise, one of soft targets, one that is always 1."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(60, 2)), np.ones((60, 1))], axis=1)
    targets = np.stack([x[:, 0] > 0, rng.random(60) < 0.3, rng.random(60), np.ones(60)], axis=1).astype(float)
    weights = rng.integers(1, 4, 60)
    return x, targets, (weights / weights.sum())[:, None]


def solved(x, targets, share, start=None):
    start = np.zeros((3, targets.shape[1])) if start is None else start
    return newton(x, targets, share, RIDGE, logistic, start)


def test_each_column_is_scipys_minimum(problem):
    x, targets, share = problem
    weights, ridge = share[:, 0], RIDGE[:, 0]
    found = solved(x, targets, share)
    for k in range(3):

        def objective(w, target=targets[:, k]):
            value, slope, _ = logistic(x @ w, target)
            return (weights * value).sum() + (ridge * w**2).sum() / 2, x.T @ (weights * slope) + ridge * w

        alone = minimize(objective, np.zeros(3), jac=True, method="BFGS", options={"gtol": 1e-10}).x
        np.testing.assert_allclose(found[:, k], alone, rtol=1e-4, atol=1e-6)


def test_a_column_ends_where_it_does_alone(problem):
    x, targets, share = problem
    found = solved(x, targets, share)
    for k in range(4):
        np.testing.assert_allclose(found[:, [k]], solved(x, targets[:, [k]], share), rtol=1e-6, atol=1e-8)


def test_it_stays_at_a_minimum_and_comes_back_to_it(problem):
    x, targets, share = problem
    found = solved(x, targets, share)
    np.testing.assert_array_equal(solved(x, targets, share, start=found), found)
    back = solved(x, targets[:, :3], share, start=found[:, :3] + 3)
    np.testing.assert_allclose(back, found[:, :3], rtol=1e-5, atol=1e-6)


def test_what_has_no_minimum_ends_where_it_is_flat(problem):
    x, targets, share = problem
    assert 15 < solved(x, targets, share)[2, 3] < 40


def test_a_first_move_far_too_long_is_cut():
    """The curvature at the start is next to none."""
    x, share = np.ones((2, 1)), np.full((2, 1), 0.5)
    found = newton(x, np.array([[1.0], [0.0]]), share, np.array([[1e-8]]), logistic, np.array([[30.0]]))
    np.testing.assert_allclose(found, 0, atol=1e-6)
