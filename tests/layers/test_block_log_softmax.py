import numpy as np
import pytest
from scipy.special import log_softmax

from zsltf.layers.block_log_softmax import BlockLogSoftmax


def test_each_block_is_a_distribution_of_its_own():
    scores = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    expected = np.concatenate([log_softmax(scores[:, :2], axis=1), log_softmax(scores[:, 2:], axis=1)], axis=1)
    np.testing.assert_allclose(BlockLogSoftmax((2, 3))(scores), expected, rtol=1e-5, atol=1e-6)


def test_widths_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match=r"BlockLogSoftmax\.widths: expected 5 columns in all, received \(2, 2\)"):
        BlockLogSoftmax((2, 2)).build((None, 5))
