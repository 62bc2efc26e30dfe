"""Exported files in the runtimes that others bring: classes go in as inputs, and scores are Keras'."""

import json
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.discovery import plugin_type
from zsltf.exporters.onnx import Onnx
from zsltf.exporters.tflite import TFLite
from zsltf.layers.preprocess import Preprocess

RNG = np.random.default_rng()  # drawn afresh: parity must not hang on one seed
NAMES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu")


def build(similarity="dot"):
    images = keras.Input((24, 24, 3))
    maps = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(images)
    maps = keras.layers.BatchNormalization(gamma_initializer="random_normal", beta_initializer="random_normal")(maps)
    x = keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(maps))
    return Classifier(
        keras.Model(images, x),
        ClassTable(names=NAMES, semantics=RNG.normal(size=(7, 5)), seen=np.arange(7) < 4),
        preprocess=Preprocess(24, mean=(127.0,) * 3, scale=(128.0,) * 3),
        similarity=plugin_type("similarities", similarity)(scale=3.0),
        bias=RNG.normal(size=7),
        gamma=0.5,
    )


@pytest.fixture(params=["dot", "cosine", "distance"])
def classifier(request):
    return build(request.param)


@pytest.fixture(params=[None, 1], ids=["any batch", "batch 1"])
def opened(request, classifier, tmp_path):
    """The open variant of the file, feeds with two classes more, and what Keras says of them."""
    Onnx(open_variant=True, batch=request.param).write(classifier, tmp_path / "model.onnx")
    new = RNG.normal(size=(2, 5)).astype(np.float32)
    feeds = {
        "images": RNG.integers(0, 256, (request.param or 3, 31, 45, 3), dtype=np.uint8),
        "class_vectors": np.concatenate([np.asarray(classifier.class_vectors), new]),
        "class_bias": np.append(np.asarray(classifier.class_bias), np.zeros(2, np.float32)),
    }
    expected = classifier.extended(("yak", "zebra"), new).score(feeds["images"])
    return tmp_path / "model.open.onnx", feeds, expected


def assert_parity(scores, expected):
    np.testing.assert_allclose(scores, expected, rtol=0, atol=5e-5 * np.median(expected.std(axis=1)))


@pytest.mark.parametrize("name", ["onnx_runtime", "openvino_runtime", "opencv_dnn"])
def test_classes_go_in_as_inputs(name, opened):
    client = pytest.importorskip(f"clients.{name}", reason=f"{name} does not load", exc_type=ImportError)
    path, feeds, expected = opened
    with client.opened(path) as call:
        assert_parity(call(feeds["images"], (feeds["class_vectors"], feeds["class_bias"])), expected)


@pytest.fixture(scope="session")
def onnxruntime_web(tmp_path_factory):
    """A folder with the package from npm."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed: onnxruntime-web runs under Node")
    folder = tmp_path_factory.mktemp("npm")
    command = ("npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "onnxruntime-web@1")
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_onnxruntime_web(opened, onnxruntime_web, tmp_path):
    path, feeds, expected = opened
    told = {
        name: {"type": str(value.dtype), "shape": value.shape, "values": value.ravel().tolist()}
        for name, value in feeds.items()
    }
    (tmp_path / "feeds.json").write_text(json.dumps(told), "utf-8")
    script = Path(__file__).with_name("onnxruntime_web.mjs")
    command = ("node", str(script), str(onnxruntime_web), str(path), str(tmp_path / "feeds.json"))
    scores = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert_parity(np.reshape(scores["values"], scores["shape"]), expected)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_mediapipe_reads_the_built_in_entry_its_labels_and_its_normalisation(precision, tmp_path):
    client = pytest.importorskip("clients.mediapipe_tasks", reason="MediaPipe does not load", exc_type=ImportError)
    classifier, images = build(), RNG.integers(0, 256, (7, 24, 24, 3), dtype=np.uint8)
    calibration = RNG.integers(0, 256, (32, 24, 24, 3), np.uint8)
    exporter = TFLite(precision=precision, built_in_only=True, calibration=calibration)
    exporter.write(classifier, tmp_path / "model.tflite")
    expected = exporter.read(tmp_path / "model.tflite")(images)["probabilities"]
    with client.opened(tmp_path / "model.tflite") as call:
        np.testing.assert_allclose(call(images), expected, atol=1e-5)
    assert client.labels(tmp_path / "model.tflite", images[0]) == list(NAMES)
