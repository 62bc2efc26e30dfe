"""Conv4 as Omniglot's papers vary it, layer by layer in NumPy and SciPy."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate

from zsltf.backbones.conv4 import conv4


@pytest.fixture(scope="module")
def small():
    keras.utils.set_random_seed(0)
    return conv4(None, size=28, filters=16, normalization="group", downsampling="stride")


def block(x, layer, number):
    """Every second place of a convolution, normalised within two filters a group, without what is negative."""
    kernel, bias = (np.asarray(weight, np.float64) for weight in layer(f"block{number}_conv").weights)
    after = -(-len(x) // 2)
    missing = max(2 * (after - 1) + 3 - len(x), 0)  # TensorFlow pads the end first
    padded = np.pad(x, (*[(missing // 2, missing - missing // 2)] * 2, (0, 0)))
    maps = [correlate(padded, kernel[..., k], "valid")[::2, ::2, 0] for k in range(kernel.shape[-1])]
    grouped = (np.stack(maps, axis=-1) + bias).reshape(after, after, 8, 2)
    mean, variance = grouped.mean(axis=(0, 1, 3), keepdims=True), grouped.var(axis=(0, 1, 3), keepdims=True)
    return np.maximum(((grouped - mean) / np.sqrt(variance + 1e-3)).reshape(after, after, 16), 0)


def test_features_are_those_of_strides_and_groups_one_by_one(small):
    image = np.random.default_rng(0).integers(0, 256, (1, 28, 28, 3), dtype=np.uint8)
    x = image[0] / 255
    for number in range(1, 5):
        x = block(x, small.model.get_layer, number)
    assert x.shape == (2, 2, 16)
    found = np.asarray(small.features()(small.preprocess(image)))[0]
    np.testing.assert_allclose(found, x.mean(axis=(0, 1)), rtol=1e-3, atol=1e-4)


def test_with_groups_an_image_alone_is_as_in_a_batch_in_training_too(small):
    images = np.random.default_rng(1).random((5, 28, 28, 3)).astype(np.float32)
    together, alone = (np.asarray(small.model(x, training=True)) for x in (images, images[:1]))
    np.testing.assert_allclose(alone[0], together[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"filters": 20}, r"conv4\.filters: expected a multiple of 8, received 20"),
        ({"normalization": "layer"}, r"conv4\.normalization: expected one of batch, group, received 'layer'"),
        ({"downsampling": "strides"}, r"conv4\.downsampling: expected one of pool, stride, .* Did you mean 'stride'"),
        ({"size": 8}, "conv4: expected images of 16 pixels or more a side, received 8"),
    ],
)
def test_other_options_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        conv4(None, **options)
