"""Transferability scores against their definitions, and on features that are good and bad."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from zsltf.metrics.transferability import h_score, leep, log_me


def features(seed, spread, count=60, width=5):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    return spread * rng.normal(size=(3, width))[y] + rng.normal(size=(count, width)), y


@pytest.mark.parametrize("shape", [(20, 5), (12, 30)])
def test_log_me_is_the_highest_evidence_of_a_gaussian_model(shape):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=shape), np.arange(shape[0]) % 3
    x[:, :3] += np.eye(3)[y]

    def evidence(logs, target):
        cov = np.exp(-logs[1]) * np.eye(len(x)) + np.exp(-logs[0]) * x @ x.T
        return -multivariate_normal(np.zeros(len(x)), cov).logpdf(target)

    best = [-minimize(evidence, [0.0, 0.0], args=((y == c) * 1.0,), method="Nelder-Mead").fun for c in range(3)]
    assert log_me(x, y) == pytest.approx(np.mean(best) / len(x), abs=1e-3)


def test_h_score_is_the_trace_of_its_definition():
    x, y = features(1, 1.0)
    centred = x - x.mean(axis=0)
    between = np.mean([np.outer(m, m) for m in (centred[y == c].mean(axis=0) for c in y)], axis=0)
    cov = np.cov(x, rowvar=False, bias=True)
    expected = np.trace(np.linalg.inv(0.99 * cov + 0.01 * np.trace(cov) / 5 * np.eye(5)) @ between)
    assert h_score(x, y) == pytest.approx(expected)
    assert h_score(x, y) < 2


def test_leep_is_zero_for_a_head_that_knows_and_the_entropy_for_one_that_does_not():
    y = np.arange(30) % 3
    assert leep(np.eye(3)[y], y) == pytest.approx(0)
    assert leep(np.full((30, 4), 0.25), y) == pytest.approx(-np.log(3))


@pytest.mark.parametrize("score", [log_me, h_score])
def test_ranks_features_as_a_trained_head_does(score):
    sets = [features(seed, spread) for seed, spread in enumerate((0.0, 0.7, 1.2, 3.0))]
    trained = [cross_val_score(LogisticRegression(), *one).mean() for one in sets]
    scores = [score(*one) for one in sets]
    assert np.argsort(scores).tolist() == np.argsort(trained).tolist()


@pytest.mark.parametrize("score", [log_me, h_score])
def test_features_that_are_all_alike_are_refused(score):
    with pytest.raises(ValueError, match="features: expected different ones for different images, received the same"):
        score(np.zeros((10, 4)), np.arange(10) % 2)
