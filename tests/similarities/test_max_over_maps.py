import numpy as np

from zsltf.similarities.max_over_maps import MaxOverMaps


def test_the_best_map_of_each_class_scores():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3, 5)).astype(np.float32), rng.normal(size=(6, 5)).astype(np.float32)
    expected = np.stack([2 * a[:, k] @ b.T for k in range(3)]).max(axis=0)
    np.testing.assert_allclose(MaxOverMaps(scale=2.0)(a, b), expected, rtol=1e-4, atol=1e-5)
