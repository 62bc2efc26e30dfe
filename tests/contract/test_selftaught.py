"""What every method that learns without labels keeps; a new file is picked up by itself."""

import dataclasses

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from zsltf.classifier import Classifier
from zsltf.closed import closed
from zsltf.data.collection import named_classes
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.discovery import names, plugin_type

METHODS = [pytest.param(plugin_type("selftaught", name), id=name) for name in names("selftaught")]
pytestmark = pytest.mark.parametrize("method", METHODS)
SMALL = {
    "Autoencoder": {"size": 4, "hidden": (12,)},
    "DenoisingAutoencoder": {"size": 4, "hidden": (12,)},
    "SimCLR": {"units": (16, 8), "hidden": 12},
    "VICReg": {"units": (16, 16), "hidden": 12},
    "SparseCoding": {"atoms": 12, "penalty": 0.3, "iterations": 30},
}


@pytest.fixture(scope="module")
def examples():
    """Three classes of non-negative vectors."""
    rng = np.random.default_rng(0)
    centres = 4 * rng.uniform(size=(3, 8)) ** 2
    y = np.tile(np.arange(3), 40)
    return Features(x=np.abs(centres[y] + 0.5 * rng.normal(size=(120, 8))).astype(np.float32), y=y)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(12), layers.BatchNormalization(), layers.ReLU(), layers.Dense(6)]
    )


def few_steps(method, **changes):
    made = method(**{**SMALL.get(method.__name__, {}), **changes})
    if not hasattr(made, "descent"):
        return made
    return dataclasses.replace(
        made, descent=dataclasses.replace(made.descent, epochs=30, batch_size=30, learning_rate=0.01)
    )


@pytest.fixture(scope="module")
def pretrained(examples, network):
    """They train once."""
    found = {}

    def pretrain(method, own=False):
        if (method, own) not in found:
            given = None if own else network
            found[method, own] = few_steps(method).pretrain(examples.unlabelled(), network=given)
        return found[method, own]

    return pretrain


def test_is_a_frozen_dataclass_with_its_source(method):
    assert dataclasses.is_dataclass(method)
    assert method.__dataclass_params__.frozen
    assert "Source:" in method.__doc__


def test_search_ranges_name_fields(method):
    assert set(method.SEARCH) <= {field.name for field in dataclasses.fields(method)}
    for name, values in method.SEARCH.items():
        for value in values:
            dataclasses.replace(method(), **{name: value})


@pytest.mark.parametrize("own", [False, True])
def test_a_linear_probe_on_its_embeddings_beats_chance(method, own, examples, pretrained):
    a = np.asarray(pretrained(method, own)(examples.x))
    assert a.ndim == 2
    probe = LogisticRegression(max_iter=5000).fit(a[::2], examples.y[::2])
    assert probe.score(a[1::2], examples.y[1::2]) > 0.8


@pytest.mark.parametrize("own", [False, True])
def test_one_alone_embeds_as_in_a_batch(method, own, examples, pretrained):
    encoder = pretrained(method, own)
    together = np.asarray(encoder(examples.x[:5], training=False))
    alone = np.concatenate([np.asarray(encoder(row[None], training=False)) for row in examples.x[:5]])
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("own", [False, True])
def test_a_probe_on_its_embeddings_is_a_classifier_that_saves_and_loads(method, own, examples, pretrained, tmp_path):
    a, y = np.asarray(pretrained(method, own)(examples.x)), examples.y
    model = LogisticRegression(max_iter=5000).fit(a, y)
    means = np.stack([a[y == label].mean(axis=0) for label in range(3)])
    classifier = closed(pretrained(method, own), model.coef_, model.intercept_, named_classes(("a", "b", "c")), means)
    np.testing.assert_array_equal(classifier.score(examples.x).argmax(axis=1), model.predict(a))
    classifier.save(tmp_path / "model.keras")
    again = Classifier.load(tmp_path / "model.keras")
    np.testing.assert_allclose(again.score(examples.x), classifier.score(examples.x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("own", [False, True])
def test_saves_and_loads_in_safe_mode(method, own, examples, pretrained, tmp_path):
    encoder = pretrained(method, own)
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(examples.x), encoder(examples.x), rtol=1e-6)
    assert loaded.input_shape == (None, 8)


def test_the_network_of_the_user_stays_as_it_is(method, examples, network):
    before = network.get_weights()
    few_steps(method).pretrain(examples.unlabelled(), network=network)
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_seed_gives_the_same_encoder(method, examples, pretrained):
    again = few_steps(method).pretrain(examples.unlabelled())
    np.testing.assert_allclose(again(examples.x), pretrained(method, own=True)(examples.x), rtol=1e-4, atol=1e-4)


def test_nothing_but_the_encoder_is_left(method, pretrained):
    named = [layer.name for layer in pretrained(method, own=True)._flatten_layers()]
    assert not [name for name in named if "decoder" in name or "projector" in name]


def test_labels_are_refused(method, examples):
    with pytest.raises(ValueError, match=r"unlabelled: expected Unlabelled examples, received Features. Pretraining"):
        few_steps(method).pretrain(examples)


def test_one_example_is_refused(method, examples):
    with pytest.raises(ValueError, match="expected two examples or more, received one"):
        few_steps(method).pretrain(Unlabelled(x=examples.x[:1]))


def test_a_network_for_other_shapes_is_refused(method, examples, network):
    narrow = Unlabelled(x=examples.x[:, :5])
    with pytest.raises(ValueError, match=r"network: expected inputs \(5,\), received \(8,\)"):
        few_steps(method).pretrain(narrow, network=network)


def test_examples_that_are_all_one_are_told(method):
    with pytest.raises(ValueError, match=r"expected different ones for different examples, received the same for all"):
        few_steps(method).pretrain(Unlabelled(x=np.ones((40, 8), np.float32)))
