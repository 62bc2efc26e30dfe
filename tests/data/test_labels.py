import numpy as np
import pytest

from zsltf.data.labels import class_counts, class_rows, multi_hot


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_integers_and_one_hot_rows_say_the_same(dtype):
    y = np.array([2, 0, 1, 2], dtype)
    for given in (y, y[:, None], np.eye(3)[y], np.eye(3, dtype=bool)[y], np.eye(3, dtype=dtype)[y]):
        rows = class_rows(given, 3)
        assert rows.dtype == np.int64
        np.testing.assert_array_equal(rows, [2, 0, 1, 2])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([0, 2, 3, -1]), r"labels: expected rows 0 to 2 of the ClassTable, received 3 for image 2\. Mend"),
        (np.array([0, -1]), r"received -1 for image 1\."),
        (np.array([[0], [7]]), r"received 7 for image 1\."),
        (np.array([0.0, 1.0]), r"expected integers \(N,\), or one-hot \(N, 3\), received float64 \(2,\)"),
        (np.array(["a"]), r"received <U1 \(1,\)"),
        (np.zeros((2, 4), int), r"received int64 \(2, 4\)"),
        (np.array([[1, 0, 0], [1, 0, 1]]), r"a single 1 a row of one-hot labels, received 2 for image 1\."),
        (np.array([[1, 0, 0], [0, 0, 0]]), r"received 0 for image 1\."),
        (np.array([[1, 0, 0], [0.2, 0.8, 0]]), r"expected 0 or 1, received 0\.2 for image 1, class 0\. Threshold"),
        (np.array([[1, 0, 0], [np.nan, 1, 0]]), r"received nan for image 1"),
    ],
)
def test_labels_that_are_no_single_class_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        class_rows(y, 3)


def test_multi_hot_labels_are_zeros_and_ones_of_any_number():
    y = multi_hot(np.array([[True, True, False], [False, False, False]]), 3)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, [[1, 1, 0], [0, 0, 0]])
    with pytest.raises(ValueError, match=r"labels: expected multi-hot \(N, 3\), received shape \(2, 2\)"):
        multi_hot(np.zeros((2, 2)), 3)
    with pytest.raises(ValueError, match=r"expected multi-hot \(N, 3\), received shape \(3,\)"):
        multi_hot(np.zeros(3), 3)
    with pytest.raises(ValueError, match=r"received 2 for image 0, class 1"):
        multi_hot(np.array([[0, 2, 0]]), 3)


def test_counts_of_each_class():
    np.testing.assert_array_equal(class_counts(np.array([0, 2, 2]), 4), [1, 0, 2, 0])
    np.testing.assert_array_equal(class_counts(np.array([[1, 1, 0], [0, 1, 0]], np.float32), 3), [1, 2, 0])
