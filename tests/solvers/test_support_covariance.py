"""Gaussian classes of episodes against scikit-learn, and against explicit inverses."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from zsltf.solvers.statistics import Statistics
from zsltf.solvers.support_covariance import Pooled, Spread, gaussian_scores, precision_scores
from zsltf.solvers.whitening import shrunk


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 4)[rng.permutation(12)]
    x = rng.normal(size=(12, 20)) @ rng.normal(size=(20, 20)) + 3 * rng.normal(size=(3, 20))[y]
    return x, y, 4 + 3 * rng.normal(size=(9, 20))


def centred(scores):
    return scores - np.asarray(scores).mean(axis=-1, keepdims=True)


def test_the_supports_covariance_gives_scikit_learns_discriminant(problem):
    x, y, query = problem
    covariance = Pooled(variances=np.zeros(20), directions=None, share=0.0, shrinkage=0.3)
    scores = gaussian_scores(x[None], y[None], query[None], 3, covariance)[0]
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3, priors=np.full(3, 1 / 3)).fit(x, y)
    np.testing.assert_allclose(centred(scores), centred(model.decision_function(query)), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("share", [1.0, 0.7])
def test_both_covariances_give_what_their_inverse_gives(problem, share):
    x, y, query = problem
    others = np.random.default_rng(1).normal(size=(30, 20)) * np.arange(1, 21)
    known = Spread.of(Statistics.of_batches([(others, np.arange(30) % 4)], 4))
    variances, directions = known.spectrum
    covariance = Pooled(variances=variances, directions=directions, share=share, shrinkage=0.2)
    scores = gaussian_scores(x[None], y[None], query[None], 3, covariance)[0]
    own = Statistics.of_batches([(x, y)], 3)
    inverse = np.linalg.inv(shrunk(share * known.matrix + (1 - share) * own.within(), 0.2))
    apart = query[:, None] - own.means
    expected = -0.5 * np.einsum("qcd,de,qce->qc", apart, inverse, apart)
    np.testing.assert_allclose(centred(scores), centred(expected), rtol=1e-6, atol=1e-8)
    if share == 1:
        alone = precision_scores(x[None], y[None], query[None], 3, inverse)[0]
        np.testing.assert_allclose(centred(alone), centred(expected), rtol=1e-6, atol=1e-8)


def test_one_example_a_class_spreads_nothing(problem):
    x, _, query = problem
    scores = gaussian_scores(
        x[None, :3],
        np.arange(3)[None],
        query[None],
        3,
        Pooled(variances=np.zeros(20), directions=None, share=0.0, shrinkage=0.5),
    )
    expected = -0.5 * ((query[:, None] - x[:3]) ** 2).sum(axis=2) / 0.5
    np.testing.assert_allclose(centred(scores[0]), centred(expected), rtol=1e-8, atol=1e-8)


def test_a_spread_is_its_spectrum():
    x, y = np.random.default_rng(2).normal(size=(40, 6)), np.arange(40) % 5
    statistics = Statistics.of_batches([(x, y)], 5)
    spread = Spread.of(statistics)
    variances, directions = spread.spectrum
    np.testing.assert_allclose((directions * variances) @ directions.T, statistics.within(), atol=1e-12)
    assert spread.examples == 40
