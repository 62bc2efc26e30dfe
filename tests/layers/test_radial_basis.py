import numpy as np
import pytest
from scipy.spatial.distance import cdist

from zsltf.layers.radial_basis import radial_basis


@pytest.mark.parametrize("normalised", [False, True])
def test_each_bump_falls_with_the_squared_distance(normalised):
    rng = np.random.default_rng(0)
    s, points = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    expected = np.exp(-0.7 * cdist(s, points, "sqeuclidean"))
    if normalised:
        expected /= expected.sum(axis=1, keepdims=True)
    received = radial_basis(points, rate=0.7, normalised=normalised)(s.astype(np.float32))
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-6)


def test_an_offset_of_all_rows_costs_no_digits():
    rng = np.random.default_rng(0)
    s, points = (1000 + rng.normal(size=(count, 3)).astype(np.float32) for count in (4, 5))
    received = radial_basis(points, rate=0.7)(s)
    np.testing.assert_allclose(received, np.exp(-0.7 * cdist(s, points, "sqeuclidean")), rtol=1e-3, atol=1e-6)
