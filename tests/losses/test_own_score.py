import numpy as np

from zsltf.losses.own_score import OwnScore


def test_it_is_minus_the_score_of_the_label():
    scores = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_allclose(OwnScore().call(np.array([2, 0]), scores), [-2, -3])
