import numpy as np
import pytest

from zsltf.metrics.intervals import class_interval, paired_interval


def test_of_many_classes_it_is_about_two_standard_errors_either_side():
    accuracies = np.random.default_rng(0).uniform(0.2, 0.9, 200)
    low, high = class_interval(accuracies)
    error = accuracies.std() / np.sqrt(200)
    assert low == pytest.approx(accuracies.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(accuracies.mean() + 1.96 * error, abs=0.1 * error)


def test_of_few_classes_it_is_students_published_quantile_of_standard_errors_either_side():
    accuracies = np.array([0.5, 0.6, 0.4, 0.55, 0.45, 0.5])
    low, high = class_interval(accuracies)
    error = accuracies.std(ddof=1) / np.sqrt(6)
    assert (low, high) == pytest.approx((0.5 - 2.5706 * error, 0.5 + 2.5706 * error), abs=1e-5)  # t, 5 degrees, 97.5 %


@pytest.mark.parametrize("count", [3, 5, 6, 10, 30])
def test_it_holds_the_true_mean_as_often_as_it_says_however_few_the_classes(count):
    rng = np.random.default_rng(count)
    intervals = [class_interval(rng.beta(6, 4, count)) for _ in range(1000)]
    assert 0.93 < np.mean([low <= 0.6 <= high for low, high in intervals]) < 0.97


def test_it_stays_where_an_accuracy_can_be():
    assert class_interval(np.array([0.9, 1.0, 0.7]))[1] == 1.0
    assert class_interval(np.array([0.0, 0.3, 0.1]))[0] == 0.0
    assert paired_interval(np.array([0.9, 1.0]), np.array([0.1, 0.9])) == (-1.0, 1.0)


@pytest.mark.parametrize("count", [3, 6, 10])
def test_the_paired_one_holds_the_true_difference_as_often_as_it_says(count):
    """Classes differ in how hard they are, and each method is counted on 40 images of a class."""
    rng, held = np.random.default_rng(count), []
    for _ in range(400):
        hard = rng.uniform(0.3, 0.7, count)
        one, other = (rng.binomial(40, hard + gain) / 40 for gain in (rng.normal(0.05, 0.05, count), 0.0))
        low, high = paired_interval(one, other, samples=999)
        held.append(low <= 0.05 <= high)
    assert 0.92 < np.mean(held) < 0.98


def test_pairs_are_told_apart_where_single_means_are_not():
    rng = np.random.default_rng(0)
    hard = rng.uniform(0.1, 0.9, 20)
    better = hard + rng.uniform(0.01, 0.05, 20)
    assert class_interval(better)[0] < class_interval(hard)[1]
    low, high = paired_interval(better, hard)
    assert 0.01 < low < high < 0.05
    assert paired_interval(hard, better) == pytest.approx((-high, -low), abs=2e-3)
    assert paired_interval(better, hard) == (low, high)


def test_a_rare_difference_among_equal_pairs_has_finite_ends():
    low, high = paired_interval(np.array([0.0] * 9 + [0.1]), np.zeros(10))
    assert -0.1 < low < 0.01 < high < 0.1


def test_classes_without_images_are_left_out_and_one_class_says_nothing_of_the_spread():
    assert class_interval(np.array([0.5, np.nan])) == (0.0, 1.0)
    assert class_interval(np.array([0.25, 0.25, 0.25])) == (0.25, 0.25)
    assert class_interval(np.array([0.0, np.nan, 1.0])) == (0.0, 1.0)
    assert paired_interval(np.array([0.5, np.nan]), np.array([0.25, 0.5])) == (-1.0, 1.0)
    assert paired_interval(np.ones(8), np.zeros(8)) == (1.0, 1.0)


def test_differences_that_are_equal_but_for_rounding_are_no_error():
    one = np.array([0.1, 0.2, 0.3, 0.7, 0.9, 1.1, 0.4])
    assert paired_interval(one, one - 0.1) == pytest.approx((0.1, 0.1))
    assert paired_interval(one[:4], one[:4] - 0.1) == pytest.approx((0.1, 0.1))
