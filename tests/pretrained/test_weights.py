import hashlib
import json
import re
import socket
import warnings

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format

from zsltf.backbones.conv4 import conv4
from zsltf.backbones.vgg import vgg16
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.embeds import linear
from zsltf.pretrained.backbone import Provenance
from zsltf.pretrained.weights import PublishedWeights, load_weights


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """Nothing is cached and nothing answers."""

    def refuse(*_):
        raise OSError("no route to host")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("ZSLTF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("ZSLTF_WEIGHTS_MIRROR", raising=False)


def network(blocks=2, filters=4, name="small", layers=keras):
    """Layers of the same names in deeper networks too; all weights and statistics are drawn."""
    images = x = layers.Input((16, 16, 3))
    for i in range(blocks):
        x = layers.layers.DepthwiseConv2D(3, padding="same", name=f"depthwise{i}")(x)
        x = layers.layers.Conv2D(filters, 3, padding="same", name=f"conv{i}")(x)
        x = layers.layers.Dropout(0.1, name=f"dropout{i}")(layers.layers.BatchNormalization(name=f"bn{i}")(x))
    model = layers.Model(images, x, name=name)
    rng = np.random.default_rng()
    model.set_weights([rng.uniform(0.1, 1, weight.shape).astype("float32") for weight in model.get_weights()])
    return model


def save(model, path):
    """By the suffix: .weights.h5 and .keras as Keras 3 writes them, .h5 as keras.applications publishes them."""
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    elif path.suffix == ".keras":
        model.save(path)
    else:
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return path


def assert_equal(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_a_network_the_error_names_the_url_the_path_and_other_ways(tmp_path):
    file = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with pytest.raises(ValueError, match="weights 'imagenet': expected ") as caught:
        vgg16()
    text = str(caught.value)
    assert f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{file}" in text
    assert str(tmp_path / "cache" / "weights" / file) in text
    assert "no route to host" in text
    for way in ("Put the file", "ZSLTF_WEIGHTS_MIRROR", "--weights FILE", "--weights random", "efficientnet_lite0"):
        assert way in text


def published(path):
    """A file on disk as its publisher's."""
    md5 = hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324 (the publisher's choice)
    return PublishedWeights(url=path.as_uri(), md5=md5, licence="MIT")


def test_published_weights_are_fetched_read_and_put_on_record(tmp_path):
    saved, model = network(), network()
    path = save(saved, tmp_path / "small.h5")
    provenance = load_weights(model, "imagenet", published(path))
    assert_equal(model, saved)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert provenance == Provenance(source="imagenet", sha256=digest, licence="MIT")
    assert json.loads((tmp_path / "cache" / "weights" / "small.h5.json").read_text())["sha256"] == digest


def test_a_published_file_that_does_not_load_is_not_put_on_record(tmp_path):
    path = save(network(blocks=3), tmp_path / "small.h5")
    cached = tmp_path / "cache" / "weights" / "small.h5"
    message = rf"the weights of small, received more: .*\. Delete {re.escape(str(cached))} to fetch it again\."
    with pytest.raises(ValueError, match=message):
        load_weights(network(), "imagenet", published(path))
    assert not cached.with_name("small.h5.json").exists()


@pytest.mark.parametrize("weights", [None, "random"])
def test_none_leaves_the_weights_random(weights):
    model = network()
    before = [w.copy() for w in model.get_weights()]
    provenance = load_weights(model, weights)
    assert (provenance.source, provenance.sha256) == ("random", "")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_local_file_comes_back_to_the_last_bit(tmp_path, suffix, kind):
    saved, model = network(), network()
    path = save(saved, tmp_path / f"small{suffix}")
    provenance = load_weights(model, kind(path))
    assert_equal(model, saved)
    assert provenance.source == str(path)
    assert provenance.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
def test_a_file_of_a_trained_model_loads_without_its_optimizer(tmp_path, suffix):
    saved, model = network(), network()
    saved.compile("adam", "mse")
    saved.fit(np.zeros((2, 16, 16, 3)), np.ones((2, 16, 16, 4)), verbose=0)
    path = tmp_path / f"small{suffix}"
    if suffix == ".h5":
        legacy_h5_format.save_model_to_hdf5(saved, path)
    else:
        save(saved, path)
    load_weights(model, path)
    assert_equal(model, saved)


def test_lists_of_names_that_keras_cut_in_two_are_read_whole(tmp_path):
    saved, model = network(), network()
    path = save(saved, tmp_path / "small.h5")
    with h5py.File(path, "a") as file:
        names = file.attrs["layer_names"]
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = names[:5], names[5:]
    load_weights(model, path)
    assert_equal(model, saved)


def checkpoint(model, folder, kind):
    """Written by each of those who write checkpoints and SavedModels of Keras models."""
    if kind == "tf.train.Checkpoint of a model":
        return tf.train.Checkpoint(model=model).save(str(folder / "ckpt"))
    if kind == "tf.train.Checkpoint":
        return tf.train.Checkpoint(model).write(str(folder / "ckpt"))
    if kind == "save_weights":
        model.save_weights(folder / "ckpt", save_format="tf")
        return folder / "ckpt"
    if kind == "save":
        model.save(folder / "saved", save_format="tf")
        return folder / "saved"
    model.export(folder / "saved", verbose=False)
    return folder / "saved"


KERAS_3 = ["tf.train.Checkpoint of a model", "tf.train.Checkpoint", "export"]


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("kind", KERAS_3)
def test_checkpoints_and_saved_models_of_keras_3(tmp_path, kind, trained):
    saved, model = network(), network()
    if trained:
        saved.compile("adam", "mse")
        saved.fit(np.ones((2, 16, 16, 3)), np.ones((2, 16, 16, 4)), verbose=0)
    path = checkpoint(saved, tmp_path, kind)
    provenance = load_weights(model, path)
    assert_equal(model, saved)
    assert provenance.source == str(path)
    assert len(provenance.sha256) == 64


@pytest.fixture(scope="module")
def keras_2():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tf_keras
    return tf_keras


@pytest.mark.parametrize("kind", ["tf.train.Checkpoint of a model", "tf.train.Checkpoint", "save_weights", "save"])
@pytest.mark.filterwarnings("ignore")
def test_checkpoints_and_saved_models_of_keras_2(tmp_path, kind, keras_2):
    saved, model = network(layers=keras_2), network()
    saved.compile("adam", "mse")
    saved.fit(np.ones((2, 16, 16, 3)), np.ones((2, 16, 16, 4)), verbose=0)
    load_weights(model, checkpoint(saved, tmp_path, kind))
    assert_equal(model, saved)
    images = np.random.default_rng(0).uniform(size=(1, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(model(images), saved(images).numpy(), rtol=1e-5, atol=1e-5)


def test_attention_in_a_checkpoint(tmp_path):
    def build():
        tokens = keras.Input((5, 4))
        return keras.Model(tokens, keras.layers.MultiHeadAttention(2, 4)(tokens, tokens))

    saved, model = build(), build()
    load_weights(model, checkpoint(saved, tmp_path, "tf.train.Checkpoint"))
    assert_equal(model, saved)


def test_a_checkpoint_of_several_files_is_hashed_whole(tmp_path):
    path = checkpoint(network(), tmp_path, "tf.train.Checkpoint")
    first = load_weights(network(), path).sha256
    (tmp_path / "ckpt.index").touch()
    assert load_weights(network(), path).sha256 == first
    checkpoint(network(), tmp_path, "tf.train.Checkpoint")
    assert load_weights(network(), path).sha256 != first


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    path = tf.train.Checkpoint(step=tf.Variable(1)).write(str(tmp_path / "ckpt"))
    with pytest.raises(ValueError, match=r"ckpt: expected .*, received a checkpoint without the layers of a Keras mo"):
        load_weights(network(), path)
    (tmp_path / "ckpt.index").write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match=r"ckpt: expected .*, received a damaged checkpoint \(.*Give a file of that"):
        load_weights(network(), path)


def test_kernels_of_equal_shape_are_told_apart_by_name_in_a_checkpoint(tmp_path):
    features = keras.Input((4,))
    saved = keras.Model(features, keras.layers.Dense(4, name="last")(keras.layers.LayerNormalization()(features)))
    other = keras.Model(features, keras.layers.Dense(4, name="last")(keras.layers.UnitNormalization()(features)))
    path = checkpoint(saved, tmp_path, "tf.train.Checkpoint")
    with pytest.raises(
        ValueError, match=r"received '.*gamma' of shape \(4,\) in place of 'last/kernel' of shape \(4, 4"
    ):
        load_weights(other, path)


@pytest.fixture
def run(tmp_path):
    """A run folder whose embedding goes through the small network and has a head after it."""
    trunk = network()
    pooled = keras.layers.GlobalAveragePooling2D()(trunk.output)
    features = keras.Model(trunk.input, keras.layers.Dense(5, name="hidden")(pooled), name="features")
    table = ClassTable(names=("a", "b"), semantics=np.eye(2, dtype="float32"), seen=np.ones(2, bool))
    (tmp_path / "run").mkdir()
    Classifier(linear(np.ones((5, 2), "float32")), table).after(features).save(tmp_path / "run" / "model.keras")
    return tmp_path / "run", trunk


@pytest.mark.parametrize("file", ["", "model.keras"])
def test_a_run_folder_is_gone_on_with(run, file):
    folder, trunk = run
    model = network()
    provenance = load_weights(model, folder / file)
    assert_equal(model, trunk)
    assert provenance.sha256 == hashlib.sha256((folder / "model.keras").read_bytes()).hexdigest()


def test_a_run_folder_of_another_network_is_refused(run):
    folder, _ = run
    with pytest.raises(ValueError, match=r"run: .*small, received a Classifier without a layer 'depthwise2'\. Give a"):
        load_weights(network(blocks=3), folder)
    message = r"received 'conv0/kernel' of shape \(3, 3, 3, 4\) in place of 'conv0/kernel' of shape \(3, 3, 3, 5\)"
    with pytest.raises(ValueError, match=message):
        load_weights(network(filters=5), folder)


def test_a_backbone_takes_a_local_file(tmp_path):
    saved = conv4(size=16)
    saved.model.save_weights(tmp_path / "conv4.weights.h5")
    loaded = conv4(tmp_path / "conv4.weights.h5", size=16)
    assert_equal(loaded.model, saved.model)
    assert loaded.fingerprint == saved.fingerprint


SHALLOWER = r"nothing in place of .*'depthwise1.*"
WIDER = r".*shape \(3, 3, 3, 5\) in place of .*shape \(3, 3, 3, 4\).*"


@pytest.mark.parametrize("kind", [".weights.h5", ".h5", ".keras", *KERAS_3])
@pytest.mark.parametrize(
    ("other", "difference"), [({"blocks": 3}, "more: .*"), ({"blocks": 1}, SHALLOWER), ({"filters": 5}, WIDER)]
)
def test_a_deeper_shallower_or_wider_network_is_refused_by_its_first_difference(tmp_path, kind, other, difference):
    saved = network(**other)
    path = save(saved, tmp_path / f"other{kind}") if kind.startswith(".") else checkpoint(saved, tmp_path, kind)
    with pytest.raises(
        ValueError, match=rf": expected the weights of small, received {difference}\. Give a file of tha"
    ):
        load_weights(network(), path)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras", ".pt"])
def test_a_broken_file_is_refused(tmp_path, suffix):
    whole = b"x" * 3000 if suffix == ".pt" else save(network(), tmp_path / f"whole{suffix}").read_bytes()
    (tmp_path / f"half{suffix}").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        ValueError, match=r"half.*: expected the weights of small, received .* Give a file of that netwo"
    ):
        load_weights(network(), tmp_path / f"half{suffix}")


def test_code_in_a_model_file_is_not_run(tmp_path):
    images = keras.Input((16, 16, 3))
    keras.Model(images, keras.layers.Lambda(lambda x: x + 1)(images)).save(tmp_path / "evil.keras")
    with pytest.raises(ValueError, match=r"evil\.keras: expected the weights of small, received .*(Lambda|lambda)"):
        load_weights(network(), tmp_path / "evil.keras")


@pytest.mark.parametrize("kind", ["layer", "array", "bytes"])
def test_a_file_that_points_to_another_one_is_refused(tmp_path, kind):
    path = save(network(), tmp_path / "small.h5")
    (tmp_path / "other.h5").write_bytes(path.read_bytes())
    with h5py.File(path, "a") as file:
        place = "conv0" if kind == "layer" else f"conv0/{file['conv0'].attrs['weight_names'][0]}"
        del file[place]
        if kind == "bytes":
            file.create_dataset(place, (3, 3, 3, 4), "float32", external=[(str(tmp_path / "other.h5"), 0, 432)])
        else:
            file[place] = h5py.ExternalLink(str(tmp_path / "other.h5"), place)
    with pytest.raises(ValueError, match=r"small\.h5: expected .*, received '.*' that lies in another file\. Give a"):
        load_weights(network(), path)


@pytest.mark.parametrize("missing", ["nothing.h5", "imagent", "."])
def test_a_missing_file_is_refused(missing):
    message = rf"weights: expected 'imagenet', 'random' or a weights file, received '{missing}'\. Check the path\."
    with pytest.raises(ValueError, match=message):
        load_weights(network(), missing)


def test_imagenet_is_refused_where_nobody_publishes_any():
    with pytest.raises(
        ValueError,
        match=r"weights: expected a local file or None, .*conv4 has no published ones: pass --weights random\.",
    ):
        conv4("imagenet", size=16)
