"""Each similarity against NumPy, pair by pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsltf.similarities.cosine import Cosine
from zsltf.similarities.distance import Distance
from zsltf.similarities.dot import Dot

FORMULAS = {
    Dot: lambda a, b: a @ b,
    Cosine: lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
    Distance: lambda a, b: -((a - b) ** 2).sum(),
}


@pytest.mark.parametrize("similarity", FORMULAS)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.1, 30))
def test_is_its_formula(similarity, seed, scale):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(4, 6)), rng.normal(size=(3, 6))
    expected = [[scale * FORMULAS[similarity](x, y) for y in b] for x in a]
    got = similarity(scale=scale)(a.astype(np.float32), b.astype(np.float32))
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4 * scale)
