"""Streamed sums against plain NumPy, and their arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.solvers.gram import Gram
from zsltf.solvers.statistics import Statistics

SEEDS = st.integers(0, 2**32 - 1)


def examples(seed, count=30, width=4, num_classes=5):
    rng = np.random.default_rng(seed)
    x = 3 + rng.normal(size=(count, width)) * rng.uniform(0.5, 2, width)
    return x, np.arange(count) % num_classes, rng.integers(1, 4, count).astype(float)


def assert_same(one, other):
    for a, b in zip(arrays(one), arrays(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def arrays(statistics):
    return statistics.gram.matrix, statistics.sums, statistics.squares, statistics.counts


@settings(deadline=None)
@given(SEEDS, st.sampled_from([(30, 4), (6, 9)]))
def test_they_are_the_plain_sums(seed, shape):
    x, y, weights = examples(seed, *shape)
    statistics = Statistics.of_batches([(x, y, weights)], 5)
    repeated, labels = x.repeat(weights.astype(int), 0), y.repeat(weights.astype(int))
    np.testing.assert_allclose(statistics.gram.matrix, repeated.T @ repeated)
    for c in range(5):
        mine = repeated[labels == c]
        np.testing.assert_allclose(statistics.sums[c], mine.sum(axis=0))
        np.testing.assert_allclose(statistics.means[c], mine.mean(axis=0))
        np.testing.assert_allclose(statistics.variances[c], mine.var(axis=0), atol=1e-9)
        assert statistics.counts[c] == len(mine)
    centred = repeated - statistics.means[labels]
    np.testing.assert_allclose(statistics.within(), centred.T @ centred / len(repeated), atol=1e-9)
    np.testing.assert_allclose(statistics.mean, repeated.mean(axis=0))
    assert statistics.total == len(repeated)


@settings(deadline=None)
@given(SEEDS, st.integers(1, 9), st.sampled_from([(30, 4), (12, 9)]))
def test_batches_merge_in_any_order_and_size(seed, size, shape):
    x, y, weights = examples(seed, *shape)
    whole = Statistics.of_batches([(x, y, weights)], 5)
    order = np.random.default_rng(seed).permutation(len(x))
    pieces = [order[start : start + size] for start in range(0, len(order), size)]
    assert_same(Statistics.of_batches(((x[p], y[p], weights[p]) for p in pieces), 5), whole)
    first, *rest = [Statistics.of_batches([(x[p], y[p], weights[p])], 5) for p in pieces]
    for part in rest:
        first = first + part
    assert_same(first, whole)


@settings(deadline=None)
@given(SEEDS)
def test_what_was_added_is_taken_out_again(seed):
    x, y, weights = examples(seed)
    one = Statistics.of_batches([(x[:20], y[:20], weights[:20])], 5)
    other = Statistics.of_batches([(x[20:], y[20:], weights[20:])], 5)
    assert_same((one + other) - other, one)


def test_each_group_of_classes_is_left_out_without_a_second_pass():
    x, y, _ = examples(0)
    groups = [[0, 1], [2], [3, 4]]
    parts = [Statistics.of_batches([(x[np.isin(y, g)], y[np.isin(y, g)])], 5) for g in groups]
    for group, part in zip(groups, parts, strict=True):
        keep, rest = ~np.isin(y, group), sum(parts[1:], parts[0]) - part
        assert_same(rest, Statistics.of_batches([(x[keep], y[keep])], 5))
        assert np.isnan(rest.means[group]).all()
        np.testing.assert_allclose(rest.gram.spectrum[0], np.linalg.svd(x[keep])[1] ** 2)


def test_features_on_disk_are_read_a_piece_at_a_time(tmp_path, monkeypatch):
    x, y, _ = examples(0, count=50)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    classes = ClassTable(names=tuple("abcde"), semantics=np.eye(5), seen=np.ones(5, bool))
    features = Features.from_npy(tmp_path / "x.npy", tmp_path / "y.npy")
    lengths = []
    monkeypatch.setattr("zsltf.solvers.statistics._ROWS", 16)
    monkeypatch.setattr("zsltf.solvers.statistics.Gram", lambda rows, **_: lengths.append(len(rows)) or Gram(rows))
    statistics = Statistics.of(features, classes)
    assert lengths == [16, 16, 16, 2]
    monkeypatch.undo()
    assert_same(statistics, Statistics.of_batches([(x, y)], 5))


def test_float32_is_added_in_float64():
    x = np.full((20_000, 1), 0.1, np.float32)
    statistics = Statistics.of_batches(((piece, np.zeros(len(piece), int)) for piece in np.array_split(x, 7)), 1)
    assert statistics.mean[0] == pytest.approx(float(np.float32(0.1)), rel=1e-12)
    assert statistics.gram.matrix[0, 0] == pytest.approx(20_000 * float(np.float32(0.1)) ** 2, rel=1e-12)


def test_a_worker_hands_its_sums_over_in_a_file(tmp_path):
    x, y, _ = examples(0, count=3, width=7)
    statistics = Statistics.of_batches([(x, y)], 5)
    statistics.save(tmp_path / "part.npz")
    assert_same(Statistics.load(tmp_path / "part.npz"), statistics)
    assert [path.name for path in tmp_path.iterdir()] == ["part.npz"]


def test_what_does_not_fit_is_refused():
    x, y, _ = examples(0)
    with pytest.raises(ValueError, match=r"Statistics: expected at least one batch, received none"):
        Statistics.of_batches([], 5)
    with pytest.raises(
        ValueError, match=r"y: expected labels in \[0, 4\), received 0 to 4\. Give rows of the ClassTab"
    ):
        Statistics.of_batches([(x, y)], 4)
    one, other = Statistics.of_batches([(x, y)], 5), Statistics.of_batches([(x, y)], 6)
    with pytest.raises(ValueError, match=r"Statistics: expected shape \(5, 4\), received shape \(6, 4\)"):
        one + other
    classes = ClassTable(names=tuple("abcde"), semantics=np.eye(5), seen=np.ones(5, bool))
    with pytest.raises(ValueError, match=r"a closed form: expected features \(N, D\), received maps"):
        Statistics.of(Features(x=np.zeros((5, 2, 2, 3)), y=np.arange(5)), classes)


def test_the_spread_of_identical_examples_is_zero_in_spite_of_rounding():
    x = np.repeat(0.1 + np.random.default_rng(0).normal(size=(5, 40)), 3, axis=0)
    statistics = Statistics.of_batches([(x, np.repeat(np.arange(5), 3))], 6)
    assert not statistics.within().any()
    assert not statistics.variances[:5].any()
    assert np.isnan(statistics.variances[5]).all()


def test_nothing_is_left_of_a_class_of_fractional_weights_that_is_taken_out():
    x, y, _ = examples(0)
    weights = np.random.default_rng(1).random(30) + 0.1
    parts = [Statistics.of_batches([(x[r], y[r], weights[r])], 5) for r in (y == 0, y == 1, (y == 0) | (y > 1))]
    rest = (parts[0] + parts[1] + parts[2]) - parts[0] - parts[1]
    assert rest.counts[1] == 0
    assert np.isnan(rest.means[1]).all()
    thrice = Statistics.of_batches([(x, y, np.full(30, w)) for w in (0.1, 0.2, 0.3)], 5)
    for w in (0.3, 0.2, 0.1):
        thrice = thrice - Statistics.of_batches([(x, y, np.full(30, w))], 5)
    assert not thrice.counts.any()
    assert not thrice.sums.any()


def test_what_is_no_part_is_not_taken_out():
    x, y, _ = examples(0)
    one, other = Statistics.of_batches([(x[:20], y[:20])], 5), Statistics.of_batches([(x[10:], y[10:])], 5)
    more = other + Statistics.of_batches([(x[:1], y[:1])], 5)
    with pytest.raises(ValueError, match=r"expected a part of the examples to take out, received 5 of class 0, which"):
        one - more
