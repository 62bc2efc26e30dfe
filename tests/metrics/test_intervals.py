import numpy as np
import pytest

from zsltf.metrics.intervals import class_interval, paired_interval


def test_it_is_about_two_standard_errors_either_side():
    accuracies = np.random.default_rng(0).uniform(0.2, 0.9, 200)
    low, high = class_interval(accuracies)
    error = accuracies.std() / np.sqrt(200)
    assert low == pytest.approx(accuracies.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(accuracies.mean() + 1.96 * error, abs=0.1 * error)


def test_it_holds_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [
        low <= 0.5 <= high for low, high in (class_interval(rng.uniform(0, 1, 30), samples=499) for _ in range(200))
    ]
    assert 0.89 < np.mean(held) < 0.98


def test_pairs_are_told_apart_where_single_means_are_not():
    rng = np.random.default_rng(0)
    hard = rng.uniform(0.1, 0.9, 20)
    better = hard + rng.uniform(0.01, 0.05, 20)
    assert class_interval(better)[0] < class_interval(hard)[1]
    low, high = paired_interval(better, hard)
    assert 0.01 < low < high < 0.05
    assert paired_interval(hard, better) == pytest.approx((-high, -low), abs=2e-3)


def test_classes_without_images_are_left_out_and_one_class_says_nothing_of_the_spread():
    assert class_interval(np.array([0.5, np.nan])) == (0.5, 0.5)
    assert class_interval(np.array([0.25, 0.25, 0.25])) == (0.25, 0.25)
    assert class_interval(np.array([0.0, np.nan, 1.0])) == (0.0, 1.0)
