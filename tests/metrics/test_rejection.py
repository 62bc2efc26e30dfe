"""None of these."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zsltf.metrics.rejection import OpenSet, best_without_own, rejection_threshold

SCORES = arrays(np.float64, st.integers(1, 40), elements=st.floats(-5, 5, width=16))


@given(best=SCORES, share=st.floats(0, 0.9))
def test_the_threshold_rejects_no_more_than_the_share_and_almost_as_much(best, share):
    threshold = rejection_threshold(best, share)
    assert (best < threshold).mean() <= share + 1e-9
    assert (best <= threshold).mean() > share - 1e-9  # the next higher one would reject more


def test_a_share_of_nothing_rejects_nothing():
    best = np.random.default_rng(0).normal(size=100)
    assert rejection_threshold(best, 0.0) == best.min()


def test_a_share_of_one_or_more_is_refused():
    with pytest.raises(ValueError, match=r"rejection_threshold.false_rejections: expected a share in \[0, 1\)"):
        rejection_threshold(np.zeros(3), 1.0)


def test_the_best_other_class():
    rng = np.random.default_rng(1)
    scores, y = rng.normal(size=(20, 4)), rng.integers(0, 4, 20)
    expected = [max(row[j] for j in range(4) if j != label) for row, label in zip(scores, y, strict=True)]
    np.testing.assert_array_equal(best_without_own(scores, y[:, None] == np.arange(4)), expected)


@given(known=SCORES, foreign=SCORES, threshold=st.floats(-5, 5))
def test_the_area_is_the_share_of_pairs_in_order(known, foreign, threshold):
    found = OpenSet.of(known, foreign, threshold=threshold, allowed=0.05, strangers="others")
    pairs = [1.0 if k > f else 0.5 if k == f else 0.0 for k in known for f in foreign]
    assert found.auroc == pytest.approx(np.mean(pairs), abs=1e-9)
    assert found.rejected == pytest.approx(sum(k < threshold for k in known) / len(known))
    assert found.accepted == pytest.approx(sum(f >= threshold for f in foreign) / len(foreign))
