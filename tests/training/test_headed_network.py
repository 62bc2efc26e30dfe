"""Labelled examples as a step gets them."""

import numpy as np
import pytest

from zsltf.data.features import Features
from zsltf.training.headed_network import labelled_loss, labelled_set


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e300])
def test_weights_count_by_their_ratios_alone(scale):
    weights = scale * np.array([2.0, 0.0, 1.0])
    x = np.array([[1, 0], [9, 9], [0, 3]], np.float32)
    kept, y, found = labelled_set(Features(x=x, y=np.array([0, 1, 0]), sample_weight=weights))
    np.testing.assert_array_equal(kept, x[[0, 2]])
    losses = np.log(1 + np.exp([-1.0, 3.0]))
    assert float(labelled_loss(kept, y, found)) == pytest.approx(np.average(losses, weights=[2, 1]), rel=1e-6)
