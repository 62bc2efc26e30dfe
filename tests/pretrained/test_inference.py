import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.backbones.conv4 import conv4
from zsltf.pretrained import inference as module
from zsltf.pretrained.inference import inference


@pytest.fixture(scope="module")
def backbone():
    """Its normalisation is not the trivial one."""
    keras.utils.set_random_seed(0)
    backbone, rng = conv4(None, size=32), np.random.default_rng(0)
    for layer in backbone.model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in layer.weights])
    return backbone


@pytest.fixture
def pixels():
    return np.random.default_rng(1).uniform(0, 255, (7, 32, 32, 3)).astype(np.float32)


def operations(compute):
    return [node.type for node in compute.get_concrete_function().graph.get_operations()]


@pytest.mark.parametrize("largest", [0, 10**9])
@pytest.mark.parametrize("pooled", [True, False])
def test_it_is_the_model_after_the_preprocessing(backbone, pixels, monkeypatch, largest, pooled):
    monkeypatch.setattr(module, "_LARGEST", largest)
    model = backbone.features() if pooled else backbone.model
    compute = inference(model, backbone.preprocess)
    expected = model(backbone.preprocess(pixels)).numpy()
    for count in (7, 1):
        found = compute(tf.constant(pixels[:count])).numpy()
        np.testing.assert_allclose(found, expected[:count], rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_a_small_network_is_without_variables_and_a_big_one_with_them(backbone, monkeypatch):
    assert "ReadVariableOp" not in operations(inference(backbone.model, backbone.preprocess))
    monkeypatch.setattr(module, "_LARGEST", backbone.model.count_params() - 1)
    assert "ReadVariableOp" in operations(inference(backbone.model, backbone.preprocess))


def test_it_changes_no_weight(backbone, pixels):
    before = [np.array(weight) for weight in backbone.model.weights]
    inference(backbone.model, backbone.preprocess)(tf.constant(pixels))
    for one, other in zip(before, backbone.model.weights, strict=True):
        np.testing.assert_array_equal(one, other)
