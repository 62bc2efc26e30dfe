"""SAE against scipy's Sylvester solver and a minimiser of the published objective."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_sylvester
from scipy.optimize import minimize

from zsltf.solvers.gram import Gram
from zsltf.zeroshot.sae import SAE, solve_sae


def problem(seed, n=9, d=4, a=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n, a))


def solved(x, t, ridge):
    return solve_sae(Gram(t), Gram(x), t.T @ x, ridge)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_it_solves_the_sylvester_equation(seed, ridge):
    x, t = problem(seed, n=30)
    expected = solve_sylvester(t.T @ t, ridge * x.T @ x, (1 + ridge) * t.T @ x)
    np.testing.assert_allclose(solved(x, t, ridge), expected, rtol=1e-7, atol=1e-9)


def test_it_minimises_the_published_objective():
    x, t = problem(0)

    def objective(flat):
        w = flat.reshape(3, 4)
        return ((x - t @ w) ** 2).sum() + 0.7 * ((x @ w.T - t) ** 2).sum()

    found = minimize(objective, np.zeros(12), tol=1e-12).x.reshape(3, 4)
    np.testing.assert_allclose(solved(x, t, 0.7), found, atol=1e-5)


def test_fewer_images_than_features_give_the_smallest_solution():
    x, t = problem(0, n=5, d=12)
    w = solved(x, t, 0.5)
    np.testing.assert_allclose(t.T @ t @ w + 0.5 * w @ x.T @ x, 1.5 * t.T @ x, atol=1e-9)
    null = np.eye(12) - np.linalg.pinv(x) @ x
    np.testing.assert_allclose(w @ null, 0, atol=1e-9)


@pytest.mark.parametrize("direction", ["decode", "encode"])
def test_images_and_classes_meet_in_the_space_of_the_direction(toy_features, direction):
    features, classes = toy_features
    train = features.select(classes.seen[features.y])
    fitted = SAE(ridge=2.0, direction=direction).fit(train, classes)
    w = solved(train.x.astype(float), classes.semantics[train.y].astype(float), 2.0)
    a, b = (features.x, classes.semantics @ w) if direction == "decode" else (features.x @ w.T, classes.semantics)
    expected = (a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(fitted.score(features.x), expected, atol=1e-5)
    for setting, scores in SAE(direction=direction).fit_grid(train, classes, features.x[:5]):
        np.testing.assert_allclose(scores, setting.fit(train, classes).score(features.x[:5]), atol=1e-4)


def test_a_direction_that_is_none_is_refused():
    with pytest.raises(
        ValueError, match=r"SAE\.direction: expected one of decode, encode, received 'encoder'\. Did you"
    ):
        SAE(direction="encoder")
