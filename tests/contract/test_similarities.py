"""What every similarity keeps; that its graph takes any classes in every format is in test_exporters.py."""

import keras
import numpy as np
import pytest

from zsltf.discovery import names, plugin_type

SIMILARITIES = [pytest.param(plugin_type("similarities", name), id=name) for name in names("similarities")]
MAPS, VARIANTS, ATTENTION = (
    plugin_type("similarities", name) for name in ("max_over_maps", "log_sum_exp", "cross_attention")
)
EMBEDDINGS = {MAPS: (3, 5), ATTENTION: (8,)}  # shape of A; (5,) for the others
VECTORS = {VARIANTS: (2, 5), ATTENTION: (3, 8)}  # of a class; (5,) for the others
pytestmark = pytest.mark.parametrize("similarity", SIMILARITIES)
RNG = np.random.default_rng()  # drawn afresh: order must not hang on one seed


def test_symbolic_shape_is_the_eager_shape(similarity):
    layer = similarity()
    shape, vector = EMBEDDINGS.get(similarity, (5,)), VECTORS.get(similarity, (5,))
    symbolic = layer(keras.Input(shape), keras.Input(vector))
    assert symbolic.shape == (None, None)
    assert layer(np.ones((2, *shape), np.float32), np.ones((3, *vector), np.float32)).shape == (2, 3)


def test_the_order_of_classes_only_permutes_the_scores(similarity):
    shapes = (4, *EMBEDDINGS.get(similarity, (5,))), (6, *VECTORS.get(similarity, (5,)))
    a, b = (RNG.normal(size=shape).astype("float32") for shape in shapes)
    order = RNG.permutation(6)
    layer = similarity()
    np.testing.assert_allclose(layer(a, b[order]), np.asarray(layer(a, b))[:, order], rtol=1e-5, atol=1e-5)
