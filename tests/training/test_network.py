import keras
import numpy as np
import pytest
from training.problems import network

from zsltf.training.penalties import constrain


@pytest.mark.parametrize("pattern", ["class_hidden|class_scores", "block[12]_conv"])
def test_another_precision_keeps_the_constraints_of_backbone_and_head(pattern):
    net = network()
    names = constrain(net.model, pattern, keras.constraints.MaxNorm(0.5))
    copy = net.with_precision("mixed_bfloat16")
    assert len(names) == 2
    for name in names:
        assert copy.model.get_layer(name).kernel.constraint.max_value == 0.5
    free = [layer for layer in copy.model.layers if hasattr(layer, "kernel") and layer.name not in names]
    assert all(layer.kernel.constraint is None for layer in free)


def test_another_precision_is_of_the_backbone_alone():
    net = network()
    copy = net.with_precision("mixed_bfloat16")
    below = {layer.name for layer in net.backbone.model.layers}
    compute = {layer.name: layer.compute_dtype for layer in copy.model.layers if layer.weights}
    assert {dtype for name, dtype in compute.items() if name in below} == {"bfloat16"}
    assert {dtype for name, dtype in compute.items() if name not in below} == {"float32"}
    for one, other in zip(copy.model.weights, net.model.weights, strict=True):
        assert one is not other
        np.testing.assert_array_equal(one, other)
