import numpy as np
import pytest

from zsltf.data.attributes import filled

MARKED = np.array([[1.0, -1.0], [3.0, 4.0], [-1.0, 8.0]])


def test_missing_ones_are_refused_filled_or_kept():
    with pytest.raises(ValueError, match=r"table: expected every attribute .* received 2 marked -1 \(missing\)"):
        filled(MARKED, "refuse", "table")
    np.testing.assert_array_equal(filled(MARKED, "mean", "table"), [[1, 6], [3, 4], [2, 8]])
    assert filled(MARKED, "keep", "table") is MARKED


@pytest.mark.parametrize("rows", [[[1, -1], [-1, 1]], [[-1, 0.2], [-0.5, 3]], [[0, 2]]], ids=["binary", "real", "none"])
def test_a_table_that_uses_minus_one_as_a_number_is_left_alone(rows):
    rows = np.array(rows, float)
    assert filled(rows, "refuse", "table") is rows


def test_an_attribute_that_no_class_has_can_not_be_filled():
    with pytest.raises(ValueError, match=r"table: expected an attribute that some class has, received column 2"):
        filled(np.array([[1.0, -1.0], [2.0, -1.0]]), "mean", "table")
    with pytest.raises(ValueError, match=r"missing: expected one of keep, mean, refuse, received 'drop'"):
        filled(MARKED, "drop", "table")
