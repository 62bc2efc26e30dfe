import hashlib
import shutil
import socket

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from zsltf.backbones.conv4 import conv4
from zsltf.backbones.mobilenet import mobilenet_v2
from zsltf.backbones.resnet import resnet50
from zsltf.backbones.vgg import vgg16
from zsltf.pretrained.weights import PublishedWeights, load_weights


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def offline(monkeypatch):
    def get_file(*_, **__):
        raise Exception("URL fetch failure: no route to host")

    monkeypatch.setattr(keras.utils, "get_file", get_file)


def network(blocks=2, filters=4, name="small"):
    """Layers of the same names in deeper networks too."""
    images = x = keras.Input((16, 16, 3))
    for i in range(blocks):
        x = keras.layers.Conv2D(filters, 3, padding="same", name=f"conv{i}")(x)
        x = keras.layers.BatchNormalization(name=f"bn{i}")(x)
    return keras.Model(images, x, name=name)


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


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("make", "file"),
    [
        (vgg16, "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        (resnet50, "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        (mobilenet_v2, "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"),
    ],
)
def test_without_a_network_the_error_names_the_url_the_path_and_other_ways(make, file, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    with pytest.raises(ValueError, match="weights 'imagenet': expected ") as caught:
        make()
    text = str(caught.value)
    assert f"https://storage.googleapis.com/tensorflow/keras-applications/{file}" in text
    assert str(tmp_path / "home" / "models" / file.rpartition("/")[2]) in text
    assert "no route to host" in text
    for way in ("Put the file there", "--weights FILE", "--weights random", "--backbone efficientnet_lite0"):
        assert way in text


@pytest.fixture
def server(monkeypatch, tmp_path):
    """What the publisher has, and the URLs that were asked for."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    served, asked = save(network(), tmp_path / "served.h5"), []

    def retrieve(url, path, *_):
        asked.append(url)
        shutil.copy(served, path)

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", retrieve)
    return served, asked


def published(path, md5=None):
    md5 = hashlib.md5(path.read_bytes()).hexdigest() if md5 is None else md5  # noqa: S324 (the publisher's choice)
    return PublishedWeights(url="https://example.org/models/small.h5", md5=md5, licence="MIT")


def test_a_published_file_is_fetched_once_and_read(server, tmp_path):
    path, asked = server
    for _ in range(2):
        model = network()
        provenance = load_weights(model, "imagenet", published(path))
        assert (provenance.source, provenance.licence) == ("imagenet", "MIT")
        assert provenance.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file["conv0/conv0/kernel"], model.get_weights()[0])
    assert asked == ["https://example.org/models/small.h5"]
    assert (tmp_path / "home" / "models" / "small.h5").read_bytes() == path.read_bytes()


def test_half_a_download_is_fetched_again(server, tmp_path):
    path, asked = server
    (tmp_path / "home" / "models").mkdir(parents=True)
    (tmp_path / "home" / "models" / "small.h5").write_bytes(path.read_bytes()[:100])
    load_weights(network(), "imagenet", published(path))
    assert len(asked) == 1


def test_a_file_of_another_checksum_is_refused(server):
    with pytest.raises(
        ValueError, match=r"weights 'imagenet': expected https://example\.org/.*Incomplete or corrupted"
    ):
        load_weights(network(), "imagenet", published(server[0], md5="0" * 32))


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


def test_a_backbone_takes_a_local_file(tmp_path):
    saved = conv4(size=16)
    saved.model.save_weights(tmp_path / "conv4.weights.h5")
    loaded = conv4(tmp_path / "conv4.weights.h5", size=16)
    assert_equal(loaded.model, saved.model)
    assert loaded.fingerprint == saved.fingerprint


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
@pytest.mark.parametrize("other", [{"blocks": 3}, {"blocks": 1}, {"filters": 5}])
def test_a_deeper_shallower_or_wider_network_is_refused(tmp_path, suffix, other):
    path = save(network(**other), tmp_path / f"other{suffix}")
    with pytest.raises(
        ValueError, match=rf"other{suffix}: expected the weights of small, received .* Give a file of tha"
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
