import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.metrics import confusion_matrix as sklearn_confusion

from zsltf.metrics.accuracy import confusion_matrix, mean_class_accuracy, per_class_accuracy

CLASSES = 5


@st.composite
def labels(draw):
    count = draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = rng.integers(0, draw(st.integers(1, CLASSES)), count)
    return y, np.where(rng.random(count) < 0.5, y, rng.integers(0, CLASSES, count))


@settings(deadline=None)
@given(labels())
def test_confusion_matrix_is_scikit_learns(pair):
    y, predicted = pair
    np.testing.assert_array_equal(
        confusion_matrix(y, predicted, CLASSES), sklearn_confusion(y, predicted, labels=range(CLASSES))
    )


def test_rows_of_the_confusion_matrix_are_true_classes():
    np.testing.assert_array_equal(
        confusion_matrix(np.array([0, 0, 2]), np.array([1, 1, 0]), 3), [[0, 2, 0], [0] * 3, [1, 0, 0]]
    )


@settings(deadline=None)
@given(labels())
def test_per_class_accuracy_is_recall_and_nan_where_no_example_is(pair):
    y, predicted = pair
    present = np.isin(np.arange(CLASSES), y)
    accuracy = per_class_accuracy(y, predicted, CLASSES)
    recall = recall_score(y, predicted, labels=np.flatnonzero(present), average=None, zero_division=0)
    np.testing.assert_allclose(accuracy[present], recall, rtol=1e-12)
    assert np.isnan(accuracy[~present]).all()
    matrix = confusion_matrix(y, predicted, CLASSES)
    np.testing.assert_allclose(accuracy[present], np.diag(matrix)[present] / matrix.sum(axis=1)[present])


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(deadline=None)
@given(labels())
def test_mean_class_accuracy_is_balanced_accuracy(pair):
    y, predicted = pair
    assert mean_class_accuracy(y, predicted) == pytest.approx(balanced_accuracy_score(y, predicted))


def test_a_rare_class_counts_as_much_as_a_common_one():
    y = np.array([0] * 98 + [1] * 2)
    predicted = np.zeros(100, int)
    assert mean_class_accuracy(y, predicted) == 0.5
    assert (y == predicted).mean() == 0.98


@settings(deadline=None)
@given(labels(), st.randoms())
def test_order_and_names_of_classes_do_not_matter(pair, random):
    y, predicted = pair
    renamed = np.array(random.sample(range(CLASSES), CLASSES))
    shuffled = np.array(random.sample(range(len(y)), len(y)))
    assert mean_class_accuracy(renamed[y][shuffled], renamed[predicted][shuffled]) == pytest.approx(
        mean_class_accuracy(y, predicted)
    )
