import numpy as np
import pytest

from zsltf.layers.unit_blocks import UnitBlocks


def test_each_block_has_the_same_norm_and_the_row_the_scale():
    x = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32) * [1, 1, 1, 9, 9, 9]
    received = np.asarray(UnitBlocks((2, 3, 1), scale=5.0)(x))
    for block in (received[:, :2], received[:, 2:5], received[:, 5:]):
        np.testing.assert_allclose(np.linalg.norm(block, axis=1), 5 / np.sqrt(3), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(received, axis=1), 5, rtol=1e-5)
    assert not np.asarray(UnitBlocks((6,))(np.zeros((1, 6)))).any()


def test_widths_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match=r"UnitBlocks\.widths: expected 6 columns in all, received \(2, 3\)"):
        UnitBlocks((2, 3)).build((None, 6))
