import numpy as np
import pytest

from zsltf.solvers.distances import bump_rate, median_distance


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([[0], [1], [3]], 2.0), ([[0], [0], [0], [0], [5]], 5.0), ([[2], [2]], 1.0), ([[7]], 1.0)],
    ids=["of three pairs", "of those that differ", "none differ", "no pair"],
)
def test_it_is_the_median_and_never_zero(rows, expected):
    assert median_distance(np.array(rows, float)) == expected


def test_a_bump_of_two_medians_falls_by_half_an_e_fold_there():
    assert bump_rate(np.array([[0.0], [1.0], [3.0]]), 2.0) * (2 * 2.0) ** 2 == 0.5
