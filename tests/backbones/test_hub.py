"""SavedModels are made here: by Keras' export, by Keras 2, and of modules with and without `training`."""

import base64
import hashlib
import re
import shutil
import socket
import subprocess
import sys
import warnings
import zlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.backbones.hub import hub
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.discovery import names, plugin_type
from zsltf.embeds import linear
from zsltf.layers.saved_model import SavedModelLayer
from zsltf.pretrained.choice import BackboneChoice
from zsltf.proof import prove
from zsltf.runs import Golden

IMAGES = tf.TensorSpec((None, None, None, 3), tf.float32)


class Network(tf.Module):
    """A convolution less a running mean: with variables that train, that follow and that nothing uses."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.kernel = tf.Variable(rng.normal(size=(3, 3, 3, 4)).astype("float32"), name="conv/kernel")
        self.mean = tf.Variable(tf.zeros(4), trainable=False, name="conv/mean")
        self.unused = tf.Variable(1.0)

    def maps(self, images, training):
        maps = tf.nn.conv2d(images, self.kernel, 2, "SAME")
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * tf.reduce_mean(maps, (0, 1, 2)))
        return tf.nn.relu(maps - self.mean)


class Trainable(Network):
    @tf.function
    def __call__(self, images, training=False):
        return self.maps(images, training)


class Branching(Network):
    @tf.function(input_signature=[IMAGES, tf.TensorSpec((), tf.bool)])
    def __call__(self, images, training=False):
        return self.maps(images, training)


class Fixed(Network):
    @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 3), tf.uint8)])
    def __call__(self, images):
        return tf.reduce_mean(self.maps(tf.cast(images, tf.float32), False), (1, 2))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Kind -> its SavedModel's folder."""
    folder = tmp_path_factory.mktemp("saved")
    module = Trainable()
    for training in (True, False):
        module.__call__.get_concrete_function(IMAGES, training=training)
    tf.saved_model.save(module, str(folder / "module"))
    tf.saved_model.save(Fixed(), str(folder / "fixed"))
    network(keras, (None, None, 3)).export(folder / "keras", verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tf_keras

        network(tf_keras, (32, 32, 3)).save(folder / "keras_2", save_format="tf")
    return folder


def test_a_saved_model_of_any_size_is_chosen_with_one(saved):
    built = BackboneChoice(backbone="hub", weights=str(saved / "module"), size=48, scale=(1.0, 1.0, 1.0)).build()
    assert built.model.input_shape == (None, 48, 48, 3)
    assert built.preprocess.scale == (1, 1, 1)


def network(library, shape):
    images = library.Input(shape)
    maps = library.layers.BatchNormalization()(library.layers.Conv2D(4, 3, name="conv")(images))
    return library.Model(images, library.layers.GlobalAveragePooling2D()(library.layers.ReLU()(maps)))


def original(folder, images):
    """What TensorFlow itself makes of images."""
    module = tf.saved_model.load(str(folder))
    if callable(module):
        return module(tf.constant(images)).numpy()
    return module.signatures["serving_default"](tf.constant(images))["output_0"].numpy()


PIXELS = np.random.default_rng(1).integers(0, 256, (5, 32, 32, 3)).astype("float32")
KINDS = ["module", "keras", "keras_2"]


@pytest.mark.parametrize(("kind", "shape"), [("module", (16, 16)), ("keras", (1, 1)), ("keras_2", (1, 1))])
def test_gives_what_the_saved_model_gives(saved, kind, shape):
    backbone = hub(saved / kind, size=32)
    assert backbone.model.output_shape == (None, *shape, 4)
    assert (backbone.feature_size, list(backbone.stages)) == (4, ["body"])
    received = np.asarray(backbone.model(backbone.preprocess(PIXELS)))
    expected = original(saved / kind, PIXELS / 255)
    np.testing.assert_allclose(received.reshape(expected.shape), expected, rtol=1e-6, atol=1e-6)
    assert backbone.weights.source == str(saved / kind)
    assert len(backbone.weights.sha256) == 64


def test_size_and_pixels_are_the_saved_models(saved):
    backbone = hub(str(saved / "fixed"), scale=(1.0,) * 3, resize="crop")
    assert (backbone.preprocess.size, backbone.preprocess.resize_policy) == (32, "crop")
    expected = original(saved / "fixed", PIXELS.astype("uint8"))
    np.testing.assert_allclose(backbone.features()(backbone.preprocess(PIXELS)), expected, rtol=1e-5)
    with pytest.raises(ValueError, match=r"hub.size: expected 32 x 32, as the SavedModel takes, received 48 x 48"):
        hub(saved / "fixed", size=48)
    with pytest.raises(ValueError, match=r"hub.size: expected a size, since this SavedModel takes any, received none"):
        hub(saved / "module")


def trainer(folder):
    """A backbone with a head, compiled."""
    backbone = hub(folder, size=32)
    model = keras.Model(backbone.model.input, keras.layers.Dense(2)(backbone.features().output))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def fit(model):
    model.fit(PIXELS / 255, np.ones((5, 2)), epochs=2, shuffle=False, verbose=0)


@pytest.mark.parametrize(("kind", "still"), [("module", set()), ("keras", {"moving"}), ("keras_2", set())])
def test_trains_saves_loads_in_safe_mode_and_goes_on_alike(saved, tmp_path, kind, still):
    model = trainer(saved / kind)
    layer = model.get_layer("saved_model")
    before = {weight.path: weight.numpy() for weight in layer.weights}
    fit(model)
    for weight in layer.weights:  # a signature is traced for inference: its statistics stand still
        moved = bool((weight.numpy() != before[weight.path]).any())
        assert moved == (not any(word in weight.path for word in still)), weight.path
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for _ in range(2):
        np.testing.assert_array_equal(loaded(PIXELS), model(PIXELS))
        fit(model)
        fit(loaded)


def test_frozen_it_stands_still_even_its_statistics(saved, tmp_path):
    model = trainer(saved / "module")
    layer = model.get_layer("saved_model")
    layer.trainable = False
    model.compile("adam", "mse")
    before = layer.get_weights()
    fit(model)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    model.save(tmp_path / "model.keras")
    assert not keras.saving.load_model(tmp_path / "model.keras").get_layer("saved_model").trainable


def test_weights_have_names_of_their_own(saved):
    layer = SavedModelLayer.of(saved / "module")
    assert [weight.path for weight in layer.trainable_weights] == ["saved_model/0_conv_kernel"]
    assert [weight.path for weight in layer.non_trainable_weights] == ["saved_model/1_conv_mean"]


def classifier(backbone, images):
    rng = np.random.default_rng(0)
    features = np.asarray(backbone.features()(backbone.preprocess(images)))
    kernel = rng.normal(size=(backbone.feature_size, 6)) / features.std(axis=0).mean()
    table = ClassTable(names=tuple("abcdefgh"), semantics=rng.normal(size=(8, 6)), seen=np.arange(8) < 5)
    return Classifier(linear(kernel), table).after(backbone.features(), preprocess=backbone.preprocess)


def test_a_fresh_process_needs_no_other_file(saved, tmp_path):
    shutil.copytree(saved / "module", tmp_path / "module")
    made = classifier(hub(tmp_path / "module", size=32), PIXELS)
    made.save(tmp_path / "model.keras")
    shutil.rmtree(tmp_path / "module")
    np.save(tmp_path / "images.npy", PIXELS)
    code = (
        "import sys, numpy as np; from pathlib import Path; from zsltf.classifier import Classifier; "
        "folder = Path(sys.argv[1]); scores = Classifier.load(folder / 'model.keras').score(np.load(folder / "
        "'images.npy')); np.save(folder / 'scores.npy', scores)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "scores.npy"), made.score(PIXELS))


@pytest.mark.parametrize("exporter", [pytest.param(plugin_type("exporters", n), id=n) for n in names("exporters")])
@pytest.mark.parametrize("kind", KINDS)
def test_exports(saved, tmp_path, kind, exporter):
    images = np.random.default_rng(2).integers(0, 256, (7, 41, 37, 3), dtype=np.uint8)
    made = classifier(hub(saved / kind, size=32), images)
    proofs = list(prove(exporter(), made, Golden(images=images, scores=made.score(images)), tmp_path))
    assert all(proof.holds for proof in proofs), proofs


def refuse(module, folder, message, **options):
    tf.saved_model.save(module, str(folder), **options)
    with pytest.raises(ValueError, match=message):
        hub(folder, size=32)


def module_of(function, **attributes):
    module = tf.Module()
    for name, value in attributes.items():
        setattr(module, name, value)
    module.signature = tf.function(function, input_signature=[IMAGES])
    return module, {"signatures": module.signature}


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        (lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: written(x), lambda: x), "WriteFile"),
        (lambda x: x + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32), "ReadFile"),
        (lambda x: x + tf.numpy_function(lambda: np.float32(1), [], tf.float32), "EagerPyFunc|PyFunc"),
        (lambda x: tf.raw_ops.DebugIdentity(input=x, debug_urls=["file:///dumped"]), "DebugIdentity"),
    ],
)
def test_a_graph_that_might_do_more_than_compute_is_refused(tmp_path, function, operation):
    module, options = module_of(function)
    message = rf"SavedModel: expected operations that are known to compute only, received '({operation})'"
    refuse(module, tmp_path / "saved", message, **options)


def written(x):
    with tf.control_dependencies([tf.io.write_file("never", "text")]):
        return tf.identity(x)


def test_a_table_is_refused(tmp_path):
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1], [2.0]), 0.0)
    module, options = module_of(lambda x: x + table.lookup(tf.constant(1)), table=table)
    refuse(module, tmp_path / "saved", r"expected variables and functions only, received a table or a file", **options)


def test_a_graph_that_may_assign_in_inference_is_refused_since_it_would_not_export(tmp_path):
    message = r"leaves its variables alone when it does not train, received one that may assign them\. Trace it for"
    refuse(Branching(), tmp_path / "saved", message)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: {"a": x, "b": x}, r"to one tensor, for any batch, received .*'b'"),
        (
            lambda x: x[..., 0],
            r"hub: expected a SavedModel that gives \(batch, D\) or \(batch, h, w, D\), received \(No",
        ),
    ],
)
def test_other_outputs_are_refused(tmp_path, function, message):
    module, options = module_of(function)
    refuse(module, tmp_path / "saved", message, **options)


def test_other_inputs_are_refused(tmp_path):
    module = tf.Module()
    one = tf.function(lambda x: x, input_signature=[tf.TensorSpec((1, 32, 32, 3), tf.float32)])
    refuse(module, tmp_path / "one", r"images \(batch, height, width, 3\) to one tensor, for any batch", signatures=one)
    refuse(module, tmp_path / "none", r"expected one to call, or its signature 'serving_default', received \[\]")


def test_tensorflow_1_is_refused(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = tf.compat.v1.placeholder(tf.float32, (None, 32, 32, 3))
        tf.compat.v1.saved_model.simple_save(session, str(tmp_path / "old"), {"x": x}, {"y": x + 1})
    with pytest.raises(ValueError, match="SavedModel: expected one of TensorFlow 2, received one of TensorFlow 1"):
        hub(tmp_path / "old")


def test_damaged_and_missing_ones_are_refused(saved, tmp_path):
    with pytest.raises(
        ValueError, match=r"hub: expected a folder with saved_model\.pb, or a handle https://\.\.\., rec"
    ):
        hub(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(ValueError, match=r"SavedModel: expected a saved_model\.pb, received a damaged one"):
        hub(tmp_path)
    shutil.copytree(saved / "module", tmp_path / "half")
    (tmp_path / "half" / "variables" / "variables.index").write_bytes(b"")
    with pytest.raises(ValueError, match=r"half: expected a SavedModel that loads, received a damaged one"):
        hub(tmp_path / "half", size=32)


@pytest.mark.parametrize("graph", ["no base64!", base64.b64encode(b"no zlib").decode(), ""])
def test_a_damaged_configuration_is_refused(graph):
    with pytest.raises(ValueError, match=r"SavedModelLayer.graph: expected a "):
        SavedModelLayer(graph)


def test_a_graph_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr("zsltf.layers.saved_model._LARGEST", 1000)
    bomb = base64.b64encode(zlib.compress(bytes(10**6))).decode()
    with pytest.raises(ValueError, match=r"expected a whole graph of at most 1000 bytes, received another"):
        SavedModelLayer(bomb)


HANDLE = "https://tfhub.dev/example/network/1"
PLACE = hashlib.sha1(HANDLE.encode()).hexdigest()  # noqa: S324 (TensorFlow Hub's rule)


def test_a_handle_is_found_in_the_cache_of_tensorflow_hub(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    shutil.copytree(saved / "module", tmp_path / PLACE)
    assert hub(HANDLE, size=32).weights.source == HANDLE


def test_offline_the_error_says_what_to_put_where(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no route to host")

    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    place = tmp_path / PLACE
    message = (
        rf"hub: expected the SavedModel at {HANDLE}, received none \(.*\)\. Unpack it into {re.escape(str(place))}"
    )
    with pytest.raises(ValueError, match=message):
        hub(HANDLE)
