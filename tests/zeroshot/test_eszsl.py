"""ESZSL against the published normal equations, and its grid against single fits."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from zsltf.zeroshot.eszsl import ESZSL, solve_eszsl

RIDGES = st.floats(0.01, 100)


def problem(seed, n=9, d=4, s=3, a=2):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.choice([-1.0, 1.0], size=(n, s)), rng.normal(size=(s, a))


@given(st.integers(0, 2**32 - 1), RIDGES, RIDGES)
def test_solves_the_published_normal_equations(seed, g, l):  # noqa: E741
    x, y, s = problem(seed)
    system = np.kron(x.T @ x + g * np.eye(4), s.T @ s + l * np.eye(2))  # another route: solve for vec(V)
    expected = np.linalg.solve(system, (x.T @ y @ s).ravel()).reshape(4, 2)
    np.testing.assert_allclose(solve_eszsl(x.T @ x, x.T @ y, s, g, l), expected, rtol=1e-6, atol=1e-9)


def test_minimises_the_published_objective():
    x, y, s = problem(0)
    g, l = 0.7, 0.3  # noqa: E741

    def objective(flat):
        v = flat.reshape(4, 2)
        terms = (x @ v @ s.T - y, np.sqrt(g) * v @ s.T, np.sqrt(l) * x @ v, np.sqrt(g * l) * v)
        return sum((term**2).sum() for term in terms)

    found = minimize(objective, np.zeros(8), tol=1e-12).x.reshape(4, 2)
    np.testing.assert_allclose(solve_eszsl(x.T @ x, x.T @ y, s, g, l), found, atol=1e-5)


@pytest.mark.parametrize("repeat", [1, 3], ids=["more columns than rows", "more rows than columns"])
def test_the_grid_is_every_single_fit(toy_features, repeat):
    features, classes = toy_features
    train = features.select(np.flatnonzero(classes.seen[features.y])[:: 5 if repeat == 1 else 1])
    found = list(ESZSL().fit_grid(train, classes, features.x[:20]))
    ranges = ESZSL.SEARCH
    assert [(m.feature_ridge, m.attribute_ridge) for m, _ in found] == list(
        itertools.product(ranges["feature_ridge"], ranges["attribute_ridge"])
    )
    assert max(ranges["feature_ridge"]) == 1e6
    for method, scores in found[:: 7 * repeat]:
        y = np.where(train.y[:, None] == np.flatnonzero(classes.seen), 1.0, -1.0)
        s = classes.semantics[classes.seen]
        x = train.x.astype(np.float64)
        v = solve_eszsl(x.T @ x, x.T @ y, s, method.feature_ridge, method.attribute_ridge)
        expected = features.x[:20].astype(np.float64) @ v @ classes.semantics.T
        np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(("targets", "own", "other"), [("-1/+1", 1.0, -1.0), ("0/1", 1.0, 0.0)])
def test_targets_are_the_papers_or_those_of_later_code(toy_features, targets, own, other):
    features, classes = toy_features
    train = features.select(classes.seen[features.y])
    y = np.where(train.y[:, None] == np.flatnonzero(classes.seen), own, other)
    x = train.x.astype(np.float64)
    v = solve_eszsl(x.T @ x, x.T @ y, classes.semantics[classes.seen], 2.0, 3.0)
    method = ESZSL(feature_ridge=2.0, attribute_ridge=3.0, targets=targets)
    expected = features.x @ v @ classes.semantics.T
    np.testing.assert_allclose(method.fit(train, classes).score(features.x), expected, rtol=1e-4, atol=1e-5)


def test_zero_ridge_is_refused_with_a_way_out():
    with pytest.raises(
        ValueError, match=r"ESZSL.feature_ridge: expected a number > 0, received 0. Start from the default"
    ):
        ESZSL(feature_ridge=0)
