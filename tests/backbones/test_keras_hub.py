"""Presets of tiny random networks, saved here; what is downloaded elsewhere has the same form."""

import dataclasses
import functools
import os
import re
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

from zsltf.backbones.keras_hub import keras_hub
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.discovery import names, plugin_type
from zsltf.embeds import linear
from zsltf.layers.keras_hub import KerasHubLayer
from zsltf.pretrained.choice import BackboneChoice
from zsltf.proof import prove
from zsltf.runs import Golden

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype("float32")
WANTED = {"mean": (127.5,) * 3, "scale": (127.5,) * 3}


@pytest.fixture(scope="module")
def library():
    return pytest.importorskip("keras_hub", reason="keras-hub is not installed: pip install 'zsltf[keras-hub]'")


def vit(models, **options):
    options = {"image_shape": (32, 32, 3), "patch_size": 8, "use_patch_bias": False} | options
    return models.ViTBackbone(num_layers=5, num_heads=2, hidden_dim=16, mlp_dim=32, dropout_rate=0.1, **options)


def clip(models, family="CLIP"):
    shared = {"hidden_dim": 16, "num_layers": 2, "num_heads": 2, "intermediate_dim": 32}
    image = getattr(models, f"{family}VisionEncoder")(patch_size=8, image_shape=(32, 32, 3), **shared)
    text = {"vocabulary_size": 50, "embedding_dim": 16, "max_sequence_length": 8}
    text = getattr(models, f"{family}TextEncoder")(**text, **shared)
    options = {"projection_dim": 12} if family == "CLIP" else {}
    return getattr(models, f"{family}Backbone")(vision_encoder=image, text_encoder=text, **options)


def resnet(models):
    return models.ResNetBackbone([64], [7], [64, 64, 64], [1, 1, 1], [1, 2, 2], "basic_block", True)


def deit(models):
    return models.DeiTBackbone((32, 32, 3), 8, 2, 2, 16, 32)


def swin(models):
    options = {"image_shape": (32, 32, 3), "patch_size": 4, "window_size": 4}
    return models.SwinTransformerBackbone(embed_dim=8, depths=[1, 1], num_heads=[1, 2], **options)


NETWORKS = {
    "vit": vit,
    "clip": clip,
    "siglip": lambda models: clip(models, "SigLIP"),
    "resnet": resnet,
    "deit": deit,
    "swin": swin,
    "bert": lambda models: models.BertBackbone(50, 1, 2, 16, 32),
}


@pytest.fixture(scope="module")
def presets(library, tmp_path_factory):
    """Name -> tower and its folder; the ViT's says how to prepare images."""
    made = {}
    for name, make in NETWORKS.items():
        tower, folder = make(library.models), tmp_path_factory.mktemp(name)
        tower.save_to_preset(str(folder))
        made[name] = tower, folder
    scale, offset = [1 / 50, 1 / 100, 1 / 127.5], [-1.0, -0.5, 0.25]
    converter = library.layers.ViTImageConverter(image_size=(32, 32), scale=scale, offset=offset)
    converter.save_to_preset(str(made["vit"][1]))
    return made


def build(presets, name, **options):
    _, folder = presets[name]
    prepared = {} if name == "vit" else WANTED
    return keras_hub(folder, size=32, **prepared, **options)


@pytest.fixture(scope="module")
def built(presets):
    """Each network once, for tests that leave it as it is."""
    return functools.cache(functools.partial(build, presets))


def expected(tower, images):
    """What KerasHub itself makes of prepared images."""
    if hasattr(tower, "get_vision_embeddings"):
        return np.asarray(tower.get_vision_embeddings(images))
    return np.asarray(tower(images))


STAGES = {
    "vit": ["embedding", "blocks1", "blocks2", "blocks3", "blocks4", "top"],
    "clip": ["embedding", "blocks1", "blocks2", "top"],
    "siglip": ["embedding", "blocks1", "blocks2", "top"],
    "resnet": ["P2", "P3", "P4"],
    "deit": ["body"],
    "swin": ["body"],
}
SHAPES = {
    "vit": (4, 4, 16),
    "clip": (1, 1, 12),
    "siglip": (1, 1, 16),
    "resnet": (2, 2, 64),
    "deit": (4, 4, 16),
    "swin": (4, 4, 16),
}


@pytest.mark.parametrize("name", SHAPES)
def test_gives_what_keras_hub_gives(presets, built, name):
    backbone = built(name)
    assert backbone.model.output_shape == (None, *SHAPES[name])
    assert list(backbone.stages) == STAGES[name]
    prepared = backbone.preprocess(PIXELS)
    whole = expected(presets[name][0], prepared)
    whole = whole.reshape(3, -1, whole.shape[-1])
    received = np.asarray(backbone.model(prepared)).reshape(3, -1, whole.shape[-1])
    extras = {"vit": 1, "deit": 2}.get(name, 0)
    np.testing.assert_allclose(received, whole[:, extras:], rtol=1e-4, atol=1e-5)
    assert backbone.weights.source == str(presets[name][1])
    assert len(backbone.weights.sha256) == 64


def test_maps_are_in_the_images_order(built):
    backbone = built("vit")
    prepared = np.zeros((1, 32, 32, 3), np.float32)
    embedding = keras.Model(backbone.model.input, backbone.model.get_layer("vit_patching_and_embedding").output)
    changed = prepared.copy()
    changed[:, 8:16, 24:] = 1.0  # second row, fourth column
    moved = np.abs(np.asarray(embedding(changed) - embedding(prepared))).max(axis=(0, 2))[1:].reshape(4, 4)
    np.testing.assert_array_equal(np.argwhere(moved), [[1, 3]])
    tokens = backbone.model.get_layer("tokens").input
    raw = np.asarray(keras.Model(backbone.model.input, tokens)(changed))
    np.testing.assert_array_equal(backbone.model(changed)[0, 1, 3], raw[0, 1 + 4 + 3])


def test_stages_are_groups_of_blocks(built):
    stages = built("vit").stages
    assert stages["embedding"] == ["vit_patching_and_embedding"]
    assert [len(stages[f"blocks{i}"]) for i in range(1, 5)] == [2, 1, 1, 1]
    assert stages["blocks1"] == ["transformer_block_1", "transformer_block_2"]
    assert stages["top"] == ["ln"]


def test_the_class_token(presets):
    for name in ("vit", "deit"):
        backbone = build(presets, name, tokens="class")
        prepared = backbone.preprocess(PIXELS)
        assert backbone.model.output_shape == (None, 1, 1, 16)
        token = expected(presets[name][0], prepared)[:, 0]
        np.testing.assert_allclose(backbone.features()(prepared), token, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"keras_hub.tokens: expected 'patches', since there is no class token, rec"):
        build(presets, "swin", tokens="class")
    with pytest.raises(ValueError, match=r"keras_hub.tokens: expected one of class, patches, received 'all'"):
        build(presets, "swin", tokens="all")


def test_images_are_prepared_as_the_preset_says(presets, built, library):
    backbone = built("vit")
    converter = library.layers.ImageConverter.from_preset(str(presets["vit"][1]))
    images = np.random.default_rng(1).integers(0, 256, (2, 40, 64, 3)).astype("float32")
    assert backbone.preprocess.resize_policy == "crop"
    np.testing.assert_allclose(backbone.preprocess(images), converter(images), rtol=1e-4, atol=1e-4)
    chosen = BackboneChoice(backbone="keras_hub", weights=str(presets["vit"][1]))
    assert chosen.build().preprocess.resize_policy == "crop"
    assert dataclasses.replace(chosen, resize="pad").build().preprocess.resize_policy == "pad"
    own = keras_hub(presets["vit"][1], mean=(1, 2, 3), scale=(4, 5, 6), resize="pad").preprocess
    assert (own.size, own.mean, own.scale, own.resize_policy) == (32, (1, 2, 3), (4, 5, 6), "pad")
    message = r"keras_hub: expected a preset with an image converter, or mean and scale, received neither\. Give the"
    with pytest.raises(ValueError, match=message):
        keras_hub(presets["clip"][1], mean=(0, 0, 0))


def test_the_size_is_the_presets_or_the_users(presets):
    assert keras_hub(presets["deit"][1], **WANTED).preprocess.size == 32
    assert keras_hub(presets["resnet"][1], size=64, **WANTED).model.output_shape == (None, 4, 4, 64)
    with pytest.raises(
        ValueError, match=r"keras_hub.size: expected a size, since this preset takes any, received none"
    ):
        keras_hub(presets["resnet"][1], **WANTED)
    with pytest.raises(ValueError, match=r"keras_hub.size: expected 32 x 32, as the preset takes, received 64 x 64"):
        keras_hub(presets["clip"][1], size=64, **WANTED)
    with pytest.raises(
        ValueError, match=r"received '.*' \(.*\)\. Check the name and the size; offline, save_to_preset"
    ):
        keras_hub(presets["vit"][1], size=64)


def trainer(presets, name):
    backbone = build(presets, name)
    model = keras.Model(backbone.model.input, keras.layers.Dense(2)(backbone.features().output))
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return backbone, model


@pytest.mark.parametrize("name", ["vit", "clip", "deit"])
def test_trains_by_stages_saves_and_loads_in_safe_mode(presets, tmp_path, name):
    backbone, model = trainer(presets, name)
    frozen = list(backbone.stages)[:-1]
    for stage in frozen:
        for layer in backbone.stages[stage]:
            model.get_layer(layer).trainable = False
    model.compile(keras.optimizers.SGD(0.01), "mse")
    before = {weight.path: weight.numpy() for weight in backbone.model.weights}
    model.fit(PIXELS / 255, np.ones((3, 2)), verbose=0)
    top = {
        weight.path for layer in backbone.stages[list(backbone.stages)[-1]] for weight in model.get_layer(layer).weights
    }
    moved = {weight.path for weight in backbone.model.weights if (weight.numpy() != before[weight.path]).any()}
    assert moved
    assert moved <= top
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(PIXELS), model(PIXELS))
    assert [layer.trainable for layer in loaded.layers] == [layer.trainable for layer in model.layers]


def classifier(backbone, images):
    rng = np.random.default_rng(0)
    features = np.asarray(backbone.features()(backbone.preprocess(images)))
    kernel = rng.normal(size=(backbone.feature_size, 6)) / features.std(axis=0).mean()
    table = ClassTable(names=tuple("abcdefgh"), semantics=rng.normal(size=(8, 6)), seen=np.arange(8) < 5)
    return Classifier(linear(kernel), table).after(backbone.features(), preprocess=backbone.preprocess)


@pytest.mark.parametrize("exporter", [pytest.param(plugin_type("exporters", n), id=n) for n in names("exporters")])
@pytest.mark.parametrize("name", ["vit", "clip", "swin"])
def test_exports(built, tmp_path, name, exporter):
    images = np.random.default_rng(2).integers(0, 256, (7, 41, 37, 3), dtype=np.uint8)
    made = classifier(built(name), images)
    proofs = list(prove(exporter(), made, Golden(images=images, scores=made.score(images)), tmp_path))
    assert all(proof.holds for proof in proofs), proofs


LOAD = """
import sys
if sys.argv[2] == "without":
    sys.modules["keras_hub"] = None
import numpy as np
from pathlib import Path
from zsltf.classifier import Classifier
folder = Path(sys.argv[1])
np.save(folder / "scores.npy", Classifier.load(folder / "model.keras").score(np.load(folder / "images.npy")))
"""


@pytest.mark.parametrize("package", ["with", "without"])
def test_a_fresh_process_loads_it_or_says_what_to_install(built, tmp_path, package):
    made = classifier(built("vit"), PIXELS)
    made.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", PIXELS)
    command = [sys.executable, "-c", LOAD, str(tmp_path), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if package == "with":
        np.testing.assert_array_equal(np.load(tmp_path / "scores.npy"), made.score(PIXELS))
    else:
        text = "ImportError: KerasHub's networks need keras-hub. Install it with: pip install 'zsltf[keras-hub]'"
        assert text in done.stderr


def test_a_convolutional_network_loads_without_keras_hub(built, tmp_path):
    made = classifier(built("resnet"), PIXELS)
    made.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", PIXELS)
    subprocess.run([sys.executable, "-c", LOAD, str(tmp_path), "without"], check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "scores.npy"), made.score(PIXELS))


def test_a_layer_is_saved_by_its_constructors_arguments(library):
    images = keras.Input((32, 32, 3))
    inner = vit(library.models).get_layer("vit_patching_and_embedding")
    again = KerasHubLayer.from_config(KerasHubLayer(inner).get_config())
    again(images)
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in inner.weights]
    assert again.layer.use_patch_bias is False


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ImportError, match=re.escape("Install it with: pip install 'zsltf[keras-hub]'")):
        keras_hub("vit_base_patch16_224_imagenet")


@pytest.mark.parametrize("name", ["imagenet", "nothing"])
@pytest.mark.usefixtures("library")
def test_other_names_are_refused(name):
    message = (
        rf"keras_hub: expected a preset of KerasHub, or its folder, received '{name}' \(Unknown preset .* Check the"
    )
    with pytest.raises(ValueError, match=message):
        keras_hub(name)


@pytest.mark.usefixtures("library")
def test_offline_the_error_says_how_to_get_a_preset(monkeypatch):
    def refuse(*_):
        raise OSError("no route to host")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(
        ValueError, match=r"\(.*no route to host.*\)\. Check .*; offline, save_to_preset\(FOLDER\) else"
    ):
        keras_hub("vit_base_patch16_224_imagenet")


def test_networks_of_text_are_refused(presets):
    with pytest.raises(ValueError, match=r"expected a backbone from images \(B, h, w, 3\) to one output, received "):
        build(presets, "bert")
