"""Held against keras.applications itself: the files it asks for, its preprocessing and its networks."""

import re
import runpy
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group
from keras.src.utils import file_utils

from zsltf.discovery import public
from zsltf.pretrained.applications import renumbered
from zsltf.pretrained.catalogue import catalogue

BENCHMARK = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "catalogue.py"))
FAST = ("efficientnet_b0", "efficientnet_v2_b0", "mobilenet_v3_small")
MEMBERS = {
    name: (family, member)
    for family in catalogue().values()
    for name, member in family.members.items()
    if family.source == "keras.applications"
}
NETWORKS = {name.lower(): function for name, function in vars(keras.applications).items() if callable(function)}


def keras_network(name, monkeypatch):
    """Keras' own network as it is with published weights, and what it asks its download for."""
    size, asked = MEMBERS[name][1].size, []

    def ask(file, origin, file_hash=None, **_):
        asked.append((origin, file_hash or ""))
        return file

    monkeypatch.setattr(file_utils, "get_file", ask)
    monkeypatch.setattr(keras.Model, "load_weights", lambda *_: None)
    build = NETWORKS[name.replace("_", "")]
    model = build(include_top=False, weights="imagenet", input_shape=(size, size, 3))
    monkeypatch.undo()
    return model, sys.modules[build.__module__].preprocess_input, asked


def two_images(size):
    """A dark and a bright one, with noise."""
    noise = np.random.default_rng(0).integers(0, 128, (2, size, size, 3))
    return (noise + np.array([0, 127])[:, None, None, None]).astype(np.uint8)


def fill_normalization(model):
    """With what EfficientNet's files hold."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            for variable, value in zip(layer.weights, ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 0), strict=True):
                variable.assign(value)
            layer.finalize_state()


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in FAST else pytest.mark.slow) for n in MEMBERS])
def test_a_published_file_gives_what_keras_gives_from_pixels(name, monkeypatch, tmp_path):
    theirs, preprocess_input, asked = keras_network(name, monkeypatch)
    family, member = MEMBERS[name]
    assert asked == [(family.url.format(member.file), member.checksum)]
    pixels = two_images(member.size)
    prepared = preprocess_input(pixels.astype(np.float32))  # in place, where it is NumPy
    fill_normalization(theirs)
    BENCHMARK["liven"](theirs, prepared)
    path = tmp_path / "published_1.0_notop.h5"
    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, theirs)
    ours = public("backbones", name)(path)
    expected = theirs(prepared).numpy()
    got = ours.model(ours.preprocess(pixels)).numpy()
    largest = np.abs(expected).max()
    assert np.abs(expected[0] - expected[1]).max() > 0.01 * largest
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4 * largest)


@pytest.mark.parametrize("name", ["efficientnet_b0", pytest.param("convnext_tiny", marks=pytest.mark.slow)])
@pytest.mark.parametrize("file", ["mine.keras", "mine.weights.h5"])
def test_what_was_saved_of_an_adapted_network_loads_into_it(name, file, tmp_path):
    first = public("backbones", name)(None)
    first.model.save(tmp_path / file) if file.endswith(".keras") else first.model.save_weights(tmp_path / file)
    again = public("backbones", name)(tmp_path / file)
    for saved, loaded in zip(first.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(saved, loaded)


def test_unnamed_layers_are_numbered_from_0_and_named_ones_keep_their_names():
    images = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3)(keras.layers.Conv2D(4, 3, name="mine_7")(images))
    x = keras.layers.Conv2D(2, 1)(x) + keras.layers.Conv2D(2, 1)(x)
    model = keras.Model(images, x)
    clone = renumbered(model)
    convolutions = [layer.name for layer in clone.layers if layer.weights]
    assert convolutions == ["mine_7", "conv2d_0", "conv2d_1", "conv2d_2"]
    assert all(weight.path.startswith(layer.name) for layer in clone.layers for weight in layer.weights)
    pixels = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(clone(pixels), model(pixels), rtol=1e-6)


def test_every_url_is_of_one_file():
    urls = [family.url.format(member.file) for family, member in MEMBERS.values()]
    assert len(set(urls)) == len(urls)
    assert all(re.fullmatch(r"https://storage\.googleapis\.com/[\w./-]+\.h5", url) for url in urls)
