import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import multilabel_confusion_matrix

from zsltf.metrics.accuracy import per_class_accuracy
from zsltf.metrics.one_versus_rest import average_precision, one_versus_rest_auroc, sensitivity, specificity


def problem(seed, count=40, classes=3, decimals=1):
    """Scores with ties, and labels that depend on them."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.random((count, classes)), decimals)
    return scores, rng.random((count, classes)) < 0.1 + 0.6 * scores


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_auroc_is_the_share_of_pairs_in_the_right_order(seed):
    scores, truth = problem(seed)
    truth[:2] = [[True] * 3, [False] * 3]  # every class has both sides
    for c, area in enumerate(one_versus_rest_auroc(scores, truth)):
        of, others = scores[truth[:, c], c], scores[~truth[:, c], c]
        pairs = np.sign(of[:, None] - others[None]) / 2 + 0.5  # a tie counts half
        assert area == pytest.approx(pairs.mean())
        assert area == pytest.approx(mannwhitneyu(of, others).statistic / pairs.size)


def precision_at_each_hit(scores, truth):
    """AP by the definition, for scores without ties."""
    ranked = truth[np.argsort(-scores)]
    precisions = [ranked[: i + 1].mean() for i in np.flatnonzero(ranked)]
    return sum(precisions) / len(precisions)


def test_average_precision_by_definition():
    scores, truth = problem(3, decimals=12)
    expected = [precision_at_each_hit(scores[:, c], truth[:, c]) for c in range(3)]
    np.testing.assert_allclose(average_precision(scores, truth), expected)


def test_a_blind_ranking_reaches_the_share_of_the_class():
    truth = np.arange(1000)[:, None] % 10 == 0
    assert average_precision(np.ones((1000, 1)), truth) == pytest.approx([0.1])
    assert one_versus_rest_auroc(np.ones((1000, 1)), truth) == pytest.approx([0.5])


def test_one_sided_classes_are_nan():
    truth = np.array([[True, False, True], [True, False, False]])
    scores = np.array([[0.1, 0.2, 0.9], [0.3, 0.4, 0.1]])
    np.testing.assert_array_equal(one_versus_rest_auroc(scores, truth), [np.nan, np.nan, 1.0])
    np.testing.assert_array_equal(average_precision(scores, truth), [1.0, np.nan, 1.0])
    np.testing.assert_array_equal(sensitivity(truth, truth), [1.0, np.nan, 1.0])
    np.testing.assert_array_equal(specificity(truth, truth), [np.nan, 1.0, 1.0])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_sensitivity_and_specificity_from_scikit_learns_counts(seed):
    scores, truth = problem(seed)
    answers = scores > 0.5
    truth[:2] = [[True] * 3, [False] * 3]
    counts = multilabel_confusion_matrix(truth, answers)
    np.testing.assert_allclose(sensitivity(truth, answers), counts[:, 1, 1] / counts[:, 1].sum(axis=1))
    np.testing.assert_allclose(specificity(truth, answers), counts[:, 0, 0] / counts[:, 0].sum(axis=1))


def test_sensitivity_of_one_class_an_image_is_accuracy_per_class():
    rng = np.random.default_rng(0)
    y, predicted = rng.integers(0, 5, (2, 60))
    classes = np.arange(5)
    np.testing.assert_array_equal(
        sensitivity(y[:, None] == classes, predicted[:, None] == classes), per_class_accuracy(y, predicted, 5)
    )


def test_a_rare_class_shows_in_sensitivity_and_not_in_specificity():
    truth = np.arange(100)[:, None] < 2
    never = np.zeros((100, 1), bool)
    assert (sensitivity(truth, never), specificity(truth, never)) == (0.0, 1.0)
