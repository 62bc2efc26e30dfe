import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.backbones.mobilenet_v2 import mobilenet_v2
from zsltf.backbones.resnet import resnet50
from zsltf.backbones.vgg import vgg16
from zsltf.layers.preprocess import Preprocess

ROOT = Path(__file__).parents[2]
POLICIES = ("stretch", "crop", "pad")


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def bilinear(image, height, width):
    """Half-pixel centres, edges repeated, by one matrix a side."""

    def matrix(old, new):
        at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.floor(at).astype(int)
        weights = np.zeros((new, old))
        weights[np.arange(new), low] += 1 - (at - low)
        weights[np.arange(new), np.minimum(low + 1, old - 1)] += at - low
        return weights

    return np.einsum("ih,jw,hwc->ijc", matrix(image.shape[0], height), matrix(image.shape[1], width), image)


@pytest.mark.parametrize(
    ("make", "published"),
    [
        (vgg16, keras.applications.vgg16.preprocess_input),  # caffe: BGR, mean off
        (resnet50, keras.applications.resnet50.preprocess_input),
        (mobilenet_v2, keras.applications.mobilenet_v2.preprocess_input),  # tf: to [-1, 1]
    ],
)
def test_it_is_the_publishers_preprocessing(make, published):
    layer = make(None).preprocess
    images = np.random.default_rng(0).uniform(0, 255, (2, 224, 224, 3)).astype(np.float32)
    np.testing.assert_allclose(layer(images), published(images.copy()), atol=2e-5)
    np.testing.assert_allclose(layer(pixels(1, 224, 224, 3)), published(pixels(1, 224, 224, 3) * 1.0), atol=2e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_stretch_is_bilinear(height, width, size, seed):
    image = pixels(height, width, 3, seed=seed)
    np.testing.assert_allclose(Preprocess(size)(image[None])[0], bilinear(image, size, size), atol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(20, 10), (10, 20), (9, 17), (7, 7)])
def test_crop_keeps_the_centre_and_pad_adds_black_bars(height, width):
    image, short, long = pixels(height, width, 3), min(height, width), max(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    cropped = image[top : top + short, left : left + short]
    np.testing.assert_array_equal(Preprocess(short, resize="crop")(image[None])[0], cropped)
    np.testing.assert_allclose(Preprocess(5, resize="crop")(image[None])[0], bilinear(cropped, 5, 5), atol=1e-3)
    padded = np.zeros((long, long, 3))
    top, left = (long - height) // 2, (long - width) // 2
    padded[top : top + height, left : left + width] = image
    np.testing.assert_array_equal(Preprocess(long, resize="pad")(image[None])[0], padded)
    np.testing.assert_allclose(Preprocess(5, resize="pad")(image[None])[0], bilinear(padded, 5, 5), atol=1e-3)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("size", [4, 16])
def test_uint8_does_not_wrap(policy, size):
    layer = Preprocess(size, mean=(103.939, 116.779, 123.68), scale=(58, 57, 56), resize=policy, channels="bgr")
    images = pixels(2, 9, 12, 3)
    for kind in (np.float32, np.int32, np.float64):
        np.testing.assert_array_equal(layer(images), layer(images.astype(kind)))
    assert layer(images).dtype == tf.float32
    assert layer(np.zeros((1, 9, 12, 3), np.uint8)).numpy().min() < -1  # 0 - 103.939


def test_channels_mean_and_scale_are_in_the_networks_order():
    image = np.broadcast_to(np.array([10, 20, 30], np.uint8), (1, 4, 4, 3))
    rgb, bgr = ({"mean": (1, 2, 3), "scale": (1, 2, 4), "channels": order} for order in ("rgb", "bgr"))
    np.testing.assert_array_equal(Preprocess(4, **rgb)(image)[0, 0, 0], [9, 9, 6.75])
    np.testing.assert_array_equal(Preprocess(4, **bgr)(image)[0, 0, 0], [29, 9, 1.75])


@pytest.mark.parametrize("policy", POLICIES)
def test_one_image_a_batch_and_a_compiled_graph_of_unknown_size_agree(policy):
    layer = Preprocess(8, mean=(1, 2, 3), resize=policy)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])
    for shape in ((3, 5, 9, 3), (1, 20, 11, 3), (2, 8, 8, 3)):
        images = pixels(*shape)
        np.testing.assert_allclose(graph(images), layer(images), atol=1e-4)
        np.testing.assert_allclose(layer.normalise(layer.resize(images[0])), layer(images)[0], atol=1e-4)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shape", [(None, None, None, 3), (None, 7, 5, 3), (2, None, 5, 3), (2, 7, 5, 3)])
def test_the_symbolic_shape_is_the_eager_one(policy, shape):
    layer = Preprocess(6, resize=policy)
    symbolic = layer(keras.KerasTensor(shape))
    assert layer.compute_output_shape(shape) == symbolic.shape == (shape[0], 6, 6, 3)
    eager = layer(np.zeros([length or 4 for length in shape], np.uint8)).shape
    assert tuple(eager) == (shape[0] or 4, 6, 6, 3)
    assert layer.compute_output_shape(shape[1:]) == (6, 6, 3)


def test_mixed_precision_leaves_it_in_float32():
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_float16")
        layer = Preprocess(8, mean=(1.0, 2.0, 3.0))
    finally:
        keras.config.set_dtype_policy(before)
    assert layer(pixels(1, 5, 5, 3)).dtype == tf.float32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": "strech"}, r"Preprocess\.resize: expected one of crop, pad, stretch, .*Did you mean 'stretch'\?"),
        ({"channels": "gbr"}, r"Preprocess\.channels: expected one of bgr, rgb, received 'gbr'"),
        ({"size": 0}, r"Preprocess\.size: expected a number > 0, received 0\."),
        ({"scale": (1, 0, 1)}, r"Preprocess\.scale: expected a number > 0, received 0\."),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Preprocess(**{"size": 8, **options})


def test_a_model_that_holds_it_loads_in_safe_mode_elsewhere(tmp_path):
    images = pixels(2, 9, 12, 3)
    for policy in POLICIES:
        layer = Preprocess(8, mean=(1, 2, 3), scale=(4, 5, 6), resize=policy, channels="bgr", name=f"p_{policy}")
        assert layer.get_config() == Preprocess.from_config(layer.get_config()).get_config()
        model = keras.Sequential([keras.Input((None, None, 3)), layer])
        model.save(tmp_path / f"{policy}.keras")
        np.save(tmp_path / f"{policy}.npy", model(images))
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, pathlib, keras, numpy as np, zsltf.layers.preprocess; folder = pathlib.Path(sys.argv[1])\n"
        "images = np.load(folder / 'images.npy')\n"
        "for path in folder.glob('*.keras'):\n"
        "    received = keras.saving.load_model(path, safe_mode=True)(images)\n"
        "    np.testing.assert_array_equal(received, np.load(path.with_suffix('.npy')))\n"
        "    print(path.stem)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == sorted(POLICIES)
