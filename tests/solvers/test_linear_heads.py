"""Heads that are fitted together against scikit-learn's, one by one, and their slopes against finite differences."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from zsltf.solvers.linear_heads import linear_heads

PENALTY = 0.03


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 5))
    targets = (x @ rng.normal(size=(5, 3)) + rng.normal(size=(80, 3)) > 0.3).astype(float)
    return x, targets, rng.integers(1, 4, 80).astype(float)


def test_logistic_heads_are_scikit_learns(problem):
    x, targets, weights = problem
    heads = linear_heads(x, targets, weights, PENALTY)
    for head, target in zip(heads.T, targets.T, strict=True):
        model = LogisticRegression(C=1 / (PENALTY * weights.sum()), tol=1e-10, max_iter=1000)
        model.fit(x, target, sample_weight=weights)
        np.testing.assert_allclose(head, [*model.coef_[0], model.intercept_[0]], atol=1e-6)


def test_squared_hinge_heads_are_scikit_learns(problem):
    x, targets, weights = problem
    heads = linear_heads(x, targets, weights, PENALTY, "squared_hinge")
    scale = 100.0  # liblinear penalises the bias: make it cheap
    for head, target in zip(heads.T, targets.T, strict=True):
        cost = 1 / (PENALTY * weights.sum())
        model = LinearSVC(C=cost, dual=False, tol=1e-10, intercept_scaling=scale, max_iter=20_000)
        model.fit(x, target, sample_weight=weights)
        np.testing.assert_allclose(head, [*model.coef_[0], model.intercept_[0]], atol=2e-3)


@pytest.mark.parametrize("loss", ["logistic", "squared_hinge"])
def test_it_is_a_minimum_with_fewer_examples_than_features(loss):
    rng = np.random.default_rng(1)
    x, targets = rng.normal(size=(12, 30)) * np.logspace(-2, 2, 30) + 5, (rng.random((12, 3)) < 0.5).astype(float)
    x[:, 3] = 7.0  # tells nothing
    weights = rng.integers(1, 4, 12).astype(float)
    heads, share = linear_heads(x, targets, weights, PENALTY, loss), weights / weights.sum()
    z = x @ heads[:-1] + heads[-1]
    positive, negative = np.maximum(1 - z, 0), np.maximum(1 + z, 0)
    hinge = 2 * ((1 - targets) * negative - targets * positive)
    slope = share[:, None] * (hinge if loss == "squared_hinge" else expit(z) - targets)
    unit = np.abs(x).max(axis=0)[:, None]
    np.testing.assert_allclose((x.T @ slope + PENALTY * heads[:-1]) / unit, 0, atol=1e-6)
    np.testing.assert_allclose(slope.sum(axis=0), 0, atol=1e-6)
    again = linear_heads(x, targets, weights, PENALTY, loss, start=heads)
    np.testing.assert_allclose(again, heads, atol=1e-5 * np.abs(heads).max())


@pytest.mark.parametrize("loss", ["logistic", "squared_hinge"])
def test_it_is_a_minimum_for_soft_targets_too(problem, loss):
    x, targets, weights = problem
    soft = 0.8 * targets + 0.1

    def objective(w):
        z = x @ w[:-1] + w[-1]
        value = (
            np.logaddexp(0, z) - soft * z
            if loss == "logistic"
            else soft * np.maximum(1 - z, 0) ** 2 + (1 - soft) * np.maximum(1 + z, 0) ** 2
        )
        return (weights[:, None] * value).sum() / weights.sum() + PENALTY / 2 * (w[:-1] ** 2).sum()

    found = linear_heads(x, soft, weights, PENALTY, loss)
    for index in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[index] = 1e-4
        assert abs(objective(found + step) - objective(found - step)) / 2e-4 < 1e-5
    np.testing.assert_allclose(linear_heads(x, soft, weights, PENALTY, loss, start=found + 0.1), found, atol=1e-6)
