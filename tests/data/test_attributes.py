import numpy as np
import pytest

from zsltf.data.attributes import check_given, filled, read_new_classes
from zsltf.data.classes import ClassTable


def table(rows, seen=None):
    names = tuple("abcdefgh"[: len(rows)])
    return ClassTable(names=names, semantics=np.array(rows), seen=np.ones(len(rows), bool) if seen is None else seen)


MARKED = table([[1.0, -1.0], [3.0, 4.0], [-1.0, 8.0]])


def test_missing_ones_are_refused_filled_or_kept():
    with pytest.raises(ValueError, match=r"csv: .* received 2 marked -1 \(missing\), the first s1 of a\. Fill them in"):
        filled(MARKED, "refuse", "csv")
    np.testing.assert_array_equal(filled(MARKED, "mean", "csv").semantics, [[1, 6], [3, 4], [2, 8]])
    assert filled(MARKED, "keep", "csv") is MARKED


def test_what_fills_in_is_the_mean_of_seen_classes():
    seen = np.array([True, True, False])
    np.testing.assert_array_equal(filled(MARKED.with_seen(seen), "mean", "csv").semantics, [[1, 4], [3, 4], [2, 8]])
    with pytest.raises(ValueError, match=r"csv: expected attributes that some seen class has, received column s1"):
        filled(MARKED.with_seen(np.array([True, False, False])), "mean", "csv")


@pytest.mark.parametrize("rows", [[[1, -1], [-1, 1]], [[-1, 0.2], [-0.5, 3]], [[0, 2]]], ids=["binary", "real", "none"])
def test_a_table_that_uses_minus_one_as_a_number_is_left_alone(rows):
    classes = table(rows)
    assert filled(classes, "refuse", "csv") is classes


def test_an_attribute_that_no_class_has_can_not_be_filled():
    with pytest.raises(ValueError, match=r"csv: expected attributes that some seen class has, received column s1"):
        filled(table([[1.0, -1.0], [2.0, -1.0]]), "mean", "csv")
    with pytest.raises(ValueError, match=r"missing: expected one of keep, mean, refuse, received 'drop'"):
        filled(MARKED, "drop", "csv")


def test_a_class_without_semantics_is_named():
    with pytest.raises(ValueError, match=r"csv: expected semantics of every class, received only zeros for b\. Fill"):
        filled(table([[1, 2], [0, 0]]), "refuse", "csv")
    with pytest.raises(ValueError, match=r"received only -1 \(missing\) for c\. Fill them in"):
        filled(table([[1, 2], [3, 4], [-1, -1]]), "mean", "csv")
    nothing = table(np.zeros((2, 0)))
    assert filled(nothing, "refuse", "csv") is nothing  # names alone, to be told by text


def test_new_classes_have_semantics_without_marks(tmp_path):
    path, known = tmp_path / "new.csv", table([[0.0, 0.5], [1.0, 0.2]])
    for row, message in (
        ("0.3,-1", r"received 1 marked -1 \(missing\), the first s1 of yak"),
        ("0,0", "only zeros for"),
    ):
        path.write_text(f"class,s0,s1\nyak,{row}\n", "utf-8")
        with pytest.raises(ValueError, match=message):
            read_new_classes(path, known)
    path.write_text("class,s0,s1\nyak,0.3,0.4\n", "utf-8")
    assert not read_new_classes(path, known).seen.any()
    check_given(table([[-1.0, 1.0]]), table([[1.0, -1.0], [-1.0, 1.0]]), "binary, where -1 is a value")


def test_classes_that_no_column_tells_apart_are_named():
    alike = table([[0.0, 0.5], [1.0, 0.2], [0.0, 0.5], [0.1, 0.1]])
    with pytest.warns(UserWarning, match=r"csv: no column tells these classes apart: a and c\. Mend a row, or leave"):
        filled(alike, "refuse", "csv")
    filled(alike.select([0, 1, 3]), "refuse", "csv")
