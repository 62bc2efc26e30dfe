"""The small net, layer by layer in NumPy and SciPy."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate

from zsltf.backbones.cifar_net import cifar_net


@pytest.fixture(scope="module")
def backbone():
    keras.utils.set_random_seed(0)
    return cifar_net()


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)


def convolved(x, layer):
    kernel, bias = (np.asarray(weight, np.float64) for weight in layer.weights)
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    maps = [correlate(padded, kernel[..., k], "valid")[..., 0] for k in range(kernel.shape[-1])]
    return np.maximum(np.stack(maps, axis=-1) + bias, 0)


def dense(x, layer):
    kernel, bias = (np.asarray(weight, np.float64) for weight in layer.weights)
    return np.maximum(x @ kernel + bias, 0)


def test_features_are_those_of_the_layers_one_by_one(backbone, image):
    layer = backbone.model.get_layer
    x = (image[0] / 255 - 0.5) / 0.5  # mean and standard deviation 0.5
    x = convolved(convolved(x, layer("conv1")), layer("conv2"))
    x = x.reshape(16, 2, 16, 2, 128).max(axis=(1, 3)).ravel()
    assert x.size == 128 * 16 * 16
    expected = dense(dense(x, layer("dense1")), layer("dense2"))
    features = backbone.features()(backbone.preprocess(image)).numpy()[0]
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-5)
    assert expected.std() > 0


def test_in_training_whole_channels_and_half_of_the_features_are_dropped(backbone, image):
    model, prepared = backbone.model, backbone.preprocess(np.repeat(image, 40, axis=0))
    dropout = model.get_layer("conv2_dropout")
    maps = keras.Model(model.input, [dropout.input, dropout.output])
    before, after = (tensor.numpy() for tensor in maps(prepared, training=True))
    alive = before.any(axis=(1, 2))
    kept = after.any(axis=(1, 2))
    assert kept[alive].mean() == pytest.approx(0.75, abs=0.03)
    wanted = np.where(kept[:, None, None], before / 0.75, 0)
    np.testing.assert_allclose(after, wanted, rtol=1e-5)
    features = keras.Model(model.input, [model.get_layer("dense2").output, model.output])
    before, after = (tensor.numpy().reshape(40, 512) for tensor in features(prepared, training=True))
    assert (after == 0)[before > 0].mean() == pytest.approx(0.5, abs=0.03)


def test_another_seed_gives_other_weights_and_the_same_one_the_same(backbone):
    keras.utils.set_random_seed(0)
    again, other = cifar_net(), cifar_net()
    assert again.fingerprint == backbone.fingerprint != other.fingerprint


def test_there_are_no_published_weights():
    with pytest.raises(ValueError, match="cifar_net has no published ones: pass --weights random"):
        cifar_net("imagenet")
