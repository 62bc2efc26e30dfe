import numpy as np

from zsltf.layers.top_shares import TopShares


def test_the_likeliest_are_kept_and_add_up_to_one():
    p = np.array([[0.1, 0.4, 0.3, 0.2]], np.float32)
    np.testing.assert_allclose(TopShares(2)(p), [[0, 4 / 7, 3 / 7, 0]], rtol=1e-5)
    np.testing.assert_allclose(TopShares(1)(p), [[0, 1, 0, 0]])
    np.testing.assert_allclose(TopShares(9)(p), p, rtol=1e-5)
