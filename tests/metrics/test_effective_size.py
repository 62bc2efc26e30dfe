"""The effective size at its ends."""

import numpy as np
import pytest

from zsltf.metrics.effective_size import effective_size


def test_is_the_count_where_all_are_equal_and_one_where_one_has_all():
    assert effective_size(np.full(7, 0.3)) == pytest.approx(7)
    assert effective_size(np.eye(7)[2]) == pytest.approx(1)
    assert effective_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
