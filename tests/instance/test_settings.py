"""Settings under which there are no weights."""

import numpy as np
import pytest

from zsltf.instance.kmm import kernel_mean_weights
from zsltf.instance.rulsif import RuLSIF


def test_a_bound_below_the_least_mean_weight_is_refused():
    x = np.random.default_rng(0).normal(size=(9, 2))
    with pytest.raises(ValueError, match=r"KMM.upper: expected 0.8 or more, the least mean weight, received 0.5"):
        kernel_mean_weights(x, x, 1.0, 0.5, slack=0.2)


def test_nothing_to_choose_from_is_refused():
    with pytest.raises(ValueError, match=r"RuLSIF.widths: expected one or more, received none"):
        RuLSIF(widths=())
