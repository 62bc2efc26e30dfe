import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from zsltf.solvers.platt import platt


def test_each_column_is_its_own_logistic_regression():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 3)) * [1, 20, 0.1]
    y = (rng.random((300, 3)) < expit(z * [2, 0.05, 3] + [0.5, -1, 0])).astype(float)
    weights = rng.integers(1, 4, 300).astype(float)
    slope, offset = platt(z, y, weights)
    total = weights.sum()
    for k in range(3):
        rows, side = np.concatenate([z[:, k], z[:, k]]), np.repeat([1, 0], 300)
        soft = (y[:, k] * total + 1) / (total + 2)
        model = LogisticRegression(C=1e9, tol=1e-10, max_iter=5000)
        model.fit(
            rows[:, None] / z.std(axis=0)[k], side, sample_weight=np.concatenate([soft, 1 - soft]) * np.tile(weights, 2)
        )
        np.testing.assert_allclose(slope[k] * z.std(axis=0)[k], model.coef_[0, 0], rtol=2e-3)
        np.testing.assert_allclose(offset[k], model.intercept_[0], atol=2e-3)


def test_a_column_that_is_wrong_or_says_nothing_is_not_listened_to():
    y = np.repeat([1.0, 0.0], [30, 70])[:, None]
    z = np.concatenate([-y, np.zeros((100, 1))], axis=1)
    slope, offset = platt(z, np.concatenate([y, y], axis=1), np.ones(100))
    np.testing.assert_array_equal(slope[0], 0)
    np.testing.assert_allclose(offset, logit(31 / 102), atol=1e-4)


def test_scores_that_tell_the_sides_apart_perfectly_stay_finite():
    y = np.repeat([1.0, 0.0], 50)[:, None]
    slope, offset = platt(100 * (y - 0.5), y, np.ones(100))
    np.testing.assert_allclose(expit(slope * [50, -50] + offset), [51 / 102 * 0 + 101 / 102, 1 / 102], atol=1e-3)
