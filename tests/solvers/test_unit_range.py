import numpy as np

from zsltf.solvers.unit_range import unit_range


def test_columns_of_these_rows_fill_the_range_and_a_constant_one_becomes_zero():
    rows = np.array([[1, 5, -3], [3, 5, 7], [2, 5, 2]])
    scale, offset = unit_range(rows)
    np.testing.assert_allclose(rows * scale + offset, [[0, 0, 0], [1, 0, 1], [0.5, 0, 0.5]])
