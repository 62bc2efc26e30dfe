import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsltf.artifacts.parity import compare


def brute_force(expected, got, tolerance):
    """Image by image, class by class, in Python's floats."""
    rows = [[float(value) for value in row] for row in expected]
    deviations = []
    for row in rows:
        mean = sum(row) / len(row)
        deviations.append((sum((value - mean) ** 2 for value in row) / len(row)) ** 0.5)
    deviations.sort()
    half = len(rows) // 2
    spread = deviations[half] if len(rows) % 2 else (deviations[half - 1] + deviations[half]) / 2
    difference = max(
        abs(a - float(b)) for row, other in zip(rows, got, strict=True) for a, b in zip(row, other, strict=True)
    )
    votes = []
    for row, other in zip(rows, got.tolist(), strict=True):
        votes.append(max(row) - row[other.index(max(other))] <= tolerance * spread)
    return difference / spread, sum(votes) / len(votes)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(2, 7), st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_is_the_largest_difference_over_the_median_spread(seed, images, classes, noise, tolerance):
    rng = np.random.default_rng(seed)
    expected = rng.normal(size=(images, classes)) * rng.uniform(0.1, 10)
    got = expected + noise * rng.normal(size=expected.shape)
    parity = compare(expected, got, tolerance)
    difference, agreement = brute_force(expected, got, tolerance)
    assert parity.difference == pytest.approx(difference, rel=1e-9)
    assert parity.agreement == pytest.approx(agreement)


def test_equal_scores_agree_whatever_their_scale():
    scores = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    for scale in (1e-6, 1.0, 1e6):
        parity = compare(scale * scores, scale * scores, 1e-6)
        assert (parity.difference, parity.agreement) == (0.0, 1.0)


def test_one_scale_for_every_method():
    rng = np.random.default_rng(0)
    scores, noise = rng.normal(size=(5, 4)), 1e-3 * rng.normal(size=(5, 4))
    small, large = (compare(scale * scores, scale * (scores + noise), 1e-2).difference for scale in (1e-3, 1e3))
    assert small == pytest.approx(large, rel=1e-9)


def test_a_single_class_is_measured_by_its_scores_size():
    expected, got = np.array([[2.0], [-4.0], [3.0]]), np.array([[2.0], [-4.3], [3.0]])
    parity = compare(expected, got, 1e-4)
    assert parity.difference == pytest.approx(0.3 / 3)
    assert parity.agreement == 1.0


@pytest.mark.parametrize(("margin", "agreement"), [(0.5e-3, 1.0), (2e-3, 0.0)])
def test_a_top_class_within_the_tolerance_of_the_next_does_not_count(margin, agreement):
    spread = np.std([1.0, 1.0 + margin, -2.0])
    expected = np.array([[1.0, 1.0 + margin * spread, -2.0]])
    assert compare(expected, expected[:, [1, 0, 2]], 1e-3).agreement == agreement


def test_the_difference_is_taken_in_float64():
    expected = np.float32([[1, 2], [3, 4]])
    assert compare(expected, expected + np.array([[0, 1e-9], [0, 0]]), 1e-4).difference == pytest.approx(2e-9)


def test_nan_is_never_within_a_tolerance():
    expected = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert not compare(expected, np.where(expected == 2, np.nan, expected), 1e-4).difference <= 1e9
