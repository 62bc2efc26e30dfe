import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.metrics.zero_shot import harmonic_mean, seen_unseen_curve, unseen_accuracy

SHARE = st.builds(lambda right, count: min(right, count) / count, st.integers(0, 1000), st.integers(1, 1000))


def problem(seed, levels=None, per_class=4):
    """Scores (N, C) of images of every class, with few different values where levels is given."""
    rng = np.random.default_rng(seed)
    seen = np.zeros(rng.integers(4, 8), bool)
    seen[rng.permutation(len(seen))[: rng.integers(2, len(seen) - 1)]] = True
    y = np.concatenate([np.full(rng.integers(1, per_class + 1), label) for label in range(len(seen))])
    scores = rng.normal(size=(len(y), len(seen))) + np.where(y[:, None] == np.arange(len(seen)), 1.0, 0)
    return (scores if levels is None else np.floor(levels * scores) / levels), y, seen


def accuracies(predicted, y, seen):
    """Seen and unseen accuracy, averaged over classes, by loops."""
    right = [np.mean([p == c for p, label in zip(predicted, y, strict=True) if label == c]) for c in range(len(seen))]
    return tuple(np.mean([r for r, s in zip(right, seen, strict=True) if s == side]) for side in (True, False))


def sweep(scores, y, seen):
    """The curve by brute force: at each difference of a seen and an unseen score, and on both sides of it."""
    differences = np.unique(scores[:, seen][:, :, None] - scores[:, ~seen][:, None, :])
    gammas = np.concatenate([[-1e3], (differences[1:] + differences[:-1]) / 2, [1e3]])
    return gammas, np.array([accuracies((scores - gamma * seen).argmax(axis=1), y, seen) for gamma in gammas])


@settings(deadline=None)
@given(SHARE, SHARE)
def test_harmonic_mean_is_symmetric_between_its_arguments_and_zero_where_one_is(seen, unseen):
    value = harmonic_mean(seen, unseen)
    assert value == harmonic_mean(unseen, seen)
    assert min(seen, unseen) * (1 - 1e-12) <= value <= max(seen, unseen) * (1 + 1e-12)
    assert harmonic_mean(seen, seen) == pytest.approx(seen)
    assert harmonic_mean(seen, 0.0) == 0
    if min(seen, unseen) > 0:
        assert value == pytest.approx(1 / np.mean([1 / seen, 1 / unseen]))


def test_harmonic_mean_of_arrays():
    np.testing.assert_allclose(harmonic_mean(np.array([0, 0, 0.5, 1]), np.array([0, 1, 0.5, 0.5])), [0, 0, 0.5, 2 / 3])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_unseen_accuracy_looks_at_unseen_images_and_classes_only(seed):
    scores, y, seen = problem(seed)
    hits = {label: [] for label in np.flatnonzero(~seen)}
    for row, label in zip(scores, y, strict=True):
        if not seen[label]:
            hits[label].append(max(hits, key=lambda c: row[c]) == label)
    expected = np.mean([np.mean(values) for values in hits.values()])
    assert unseen_accuracy(scores, y, seen) == pytest.approx(expected)
    poisoned = scores.copy()
    poisoned[:, seen] = 1e9
    poisoned[seen[y]] = np.nan
    assert unseen_accuracy(poisoned, y, seen) == unseen_accuracy(scores, y, seen)


def test_unseen_accuracy_is_macro_not_micro():
    seen = np.array([True, False, False])
    y = np.array([1] * 9 + [2])
    scores = np.tile([9.0, 1.0, 0.0], (10, 1))  # class 1 always, among the unseen
    assert unseen_accuracy(scores, y, seen) == 0.5


def test_the_curve_is_macro_not_micro():
    seen = np.array([True, True, False, False])
    y = np.array([0] * 9 + [1] + [2] * 9 + [3])
    scores = np.tile([1.0, 0.0, 1.0, 0.0], (20, 1))  # class 0 or 2, always
    curve = seen_unseen_curve(scores, y, seen)
    np.testing.assert_array_equal(curve.thresholds, [0])
    np.testing.assert_allclose(curve.seen, [0.5, 0])  # 0.9 would be micro
    np.testing.assert_allclose(curve.unseen, [0, 0.5])
    assert curve.area == pytest.approx(0.125)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 1, 2]))
def test_the_curve_is_that_of_a_brute_force_sweep(seed, levels):
    scores, y, seen = problem(seed, levels)
    curve = seen_unseen_curve(scores, y, seen)
    gammas, expected = sweep(scores, y, seen)
    np.testing.assert_allclose(np.transpose(curve.at(gammas)), expected, atol=1e-12)
    assert curve.area == pytest.approx(np.trapezoid(*expected.T), abs=1e-12)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 2]))
def test_the_curve_ends_where_one_side_takes_all(seed, levels):
    scores, y, seen = problem(seed, levels)
    curve = seen_unseen_curve(scores, y, seen)
    among_seen = np.where(seen, scores, -np.inf).argmax(axis=1)
    among_unseen = np.where(seen, -np.inf, scores).argmax(axis=1)
    for gamma, predicted in ((-1e9, among_seen), (1e9, among_unseen), (-np.inf, among_seen), (np.inf, among_unseen)):
        np.testing.assert_allclose(curve.at(gamma), accuracies(predicted, y, seen), atol=1e-12)
    assert curve.at(-np.inf)[1] == 0
    assert curve.at(np.inf)[0] == 0
    assert curve.at(np.inf)[1] == pytest.approx(unseen_accuracy(scores, y, seen))
    assert (np.diff(curve.seen) <= 1e-12).all()
    assert (np.diff(curve.unseen) >= -1e-12).all()
    assert 0 <= curve.area <= 1


def test_at_a_threshold_the_tie_goes_to_the_unseen_class():
    seen = np.array([True, False])
    curve = seen_unseen_curve(np.array([[3.0, 1.0], [2.0, 2.0]]), np.array([0, 1]), seen)
    np.testing.assert_array_equal(curve.thresholds, [0, 2])
    np.testing.assert_array_equal(curve.at(np.array([-1, 0, 1, 2, 3])), [[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]])
    assert curve.area == 1


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_permuting_classes_or_images_changes_nothing(seed, gamma):
    scores, y, seen = problem(seed)
    rng = np.random.default_rng(seed)
    classes, images = rng.permutation(len(seen)), rng.permutation(len(y))
    place = np.argsort(classes)
    moved = scores[images][:, classes], place[y][images], seen[classes]
    assert unseen_accuracy(*moved) == pytest.approx(unseen_accuracy(scores, y, seen))
    before, after = seen_unseen_curve(scores, y, seen), seen_unseen_curve(*moved)
    np.testing.assert_array_equal(after.thresholds, before.thresholds)
    np.testing.assert_allclose(after.at(gamma), before.at(gamma), atol=1e-12)
    assert after.area == pytest.approx(before.area)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_adding_to_seen_scores_moves_the_thresholds_and_keeps_the_area(seed, shift):
    scores, y, seen = problem(seed)
    before, after = seen_unseen_curve(scores, y, seen), seen_unseen_curve(scores + shift * seen, y, seen)
    np.testing.assert_allclose(after.thresholds, before.thresholds + shift, atol=1e-9)
    assert after.area == pytest.approx(before.area)
