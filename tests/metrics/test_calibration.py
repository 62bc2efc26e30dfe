import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from zsltf.metrics.calibration import brier_score, negative_log_likelihood, reliability


def claims(seed, count=200):
    rng = np.random.default_rng(seed)
    claimed = rng.random(count) ** 2
    return claimed, rng.random(count) < claimed**1.3


def counted_by_hand(claimed, true, bins):
    """ECE in plain Python."""
    error = 0.0
    for b in range(bins):
        inside = [i for i, p in enumerate(claimed) if b / bins <= p < (b + 1) / bins or (p == 1 and b == bins - 1)]
        if inside:
            confidence = sum(claimed[i] for i in inside) / len(inside)
            accuracy = sum(bool(true[i]) for i in inside) / len(inside)
            error += len(inside) / len(claimed) * abs(accuracy - confidence)
    return error


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_expected_error_counted_by_hand(seed, bins):
    claimed, true = claims(seed, 60)
    curve = reliability(claimed, true, bins)
    assert curve.expected_error == pytest.approx(counted_by_hand(claimed, true, bins))
    assert curve.count.sum() == 60


def test_the_curve_is_scikit_learns():
    claimed, true = claims(0)
    curve = reliability(claimed, true, 10)
    full = curve.count > 0
    accuracy, confidence = calibration_curve(true, claimed, n_bins=10)
    np.testing.assert_allclose(curve.accuracy[full], accuracy)
    np.testing.assert_allclose(curve.confidence[full], confidence)


def test_empty_bins_are_nan_and_cost_nothing():
    curve = reliability(np.array([0.0, 0.9, 1.0]), np.array([False, True, False]), 4)
    assert curve.count.tolist() == [1, 0, 0, 2]
    assert np.isnan(curve.accuracy[1:3]).all()
    assert curve.accuracy[3] == 0.5
    assert curve.expected_error == pytest.approx(2 / 3 * 0.45)


def test_calibrated_claims_have_a_small_error_and_overconfident_ones_a_large_one():
    rng = np.random.default_rng(0)
    claimed = rng.random(100_000)
    assert reliability(claimed, rng.random(100_000) < claimed).expected_error < 0.01
    overconfident = reliability(np.full(100, 0.95), np.arange(100) < 60)
    assert overconfident.expected_error == pytest.approx(0.35)


@pytest.mark.parametrize(("value", "shown"), [(1.5, "1.5"), (-0.1, "-0.1"), (math.nan, "nan")])
def test_scores_are_no_probabilities(value, shown):
    with pytest.raises(ValueError, match=rf"probabilities: expected numbers in \[0, 1\], received {shown}\. Give prob"):
        reliability(np.array([0.5, value]), np.array([True, False]))


def test_no_bins():
    with pytest.raises(ValueError, match="bins: expected 1 or more, received 0"):
        reliability(np.array([0.5]), np.array([True]), 0)


def test_likelihood_is_scikit_learns_and_stays_exact_where_the_probability_underflows():
    rng = np.random.default_rng(1)
    logs, y = log_softmax(3 * rng.normal(size=(50, 4)), axis=1), rng.integers(0, 4, 50)
    losses = negative_log_likelihood(logs, y)
    assert losses.shape == (50,)
    assert losses.mean() == pytest.approx(log_loss(y, np.exp(logs), labels=range(4)))
    assert negative_log_likelihood(log_softmax([[0.0, -2000.0]], axis=1), np.array([1])) == [2000.0]


def test_brier_score_by_hand():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]])
    truth = np.array([[True, False, False], [True, False, False]])
    assert brier_score(probabilities, truth) == pytest.approx((0.3**2 + 0.2**2 + 0.1**2 + 2) / 2)
