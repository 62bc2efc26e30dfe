"""What every method that learns without labels keeps; a new file is picked up by itself."""

import dataclasses

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.discovery import names, plugin_type
from zsltf.metrics.clustering import clustering_accuracy

TYPES = {name: plugin_type("selftaught", name) for name in names("selftaught")}
ENCODERS = [pytest.param(kind, id=name) for name, kind in TYPES.items() if hasattr(kind, "pretrain")]
CLUSTERINGS = [pytest.param(kind, id=name) for name, kind in TYPES.items() if hasattr(kind, "cluster")]
SMALL = {
    "Autoencoder": {"size": 4, "hidden": (12,)},
    "DenoisingAutoencoder": {"size": 4, "hidden": (12,)},
    "SimCLR": {"units": (16, 8), "hidden": 12},
    "VICReg": {"units": (16, 16), "hidden": 12},
    "SparseCoding": {"atoms": 12, "penalty": 0.3, "iterations": 30},
    "DeepClustering": {"encoder": plugin_type("selftaught", "autoencoder")(size=4, hidden=(12,))},
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


def few_steps(kind, **changes):
    made = kind(**{**SMALL.get(kind.__name__, {}), **changes})
    if not hasattr(made, "descent"):
        return made
    return dataclasses.replace(
        made, descent=dataclasses.replace(made.descent, epochs=30, batch_size=30, learning_rate=0.01)
    )


@pytest.fixture(scope="module")
def pretrained(examples, network):
    """They train once."""
    found = {}

    def pretrain(kind, own=False):
        if (kind, own) not in found:
            given = None if own else network
            found[kind, own] = few_steps(kind).pretrain(examples.unlabelled(), network=given)
        return found[kind, own]

    return pretrain


@pytest.mark.parametrize("kind", [*ENCODERS, *CLUSTERINGS])
def test_is_a_frozen_dataclass_with_its_source(kind):
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert "Source:" in kind.__doc__


@pytest.mark.parametrize("kind", ENCODERS)
def test_search_ranges_name_fields(kind):
    assert set(kind.SEARCH) <= {field.name for field in dataclasses.fields(kind)}
    for name, values in kind.SEARCH.items():
        for value in values:
            dataclasses.replace(kind(), **{name: value})


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("kind", ENCODERS)
def test_a_linear_probe_on_its_embeddings_beats_chance(kind, own, examples, pretrained):
    a = np.asarray(pretrained(kind, own)(examples.x))
    assert a.ndim == 2
    probe = LogisticRegression(max_iter=5000).fit(a[::2], examples.y[::2])
    assert probe.score(a[1::2], examples.y[1::2]) > 0.8


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("kind", ENCODERS)
def test_one_alone_embeds_as_in_a_batch(kind, own, examples, pretrained):
    encoder = pretrained(kind, own)
    together = np.asarray(encoder(examples.x[:5], training=False))
    alone = np.concatenate([np.asarray(encoder(row[None], training=False)) for row in examples.x[:5]])
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("kind", ENCODERS)
def test_saves_and_loads_in_safe_mode(kind, own, examples, pretrained, tmp_path):
    encoder = pretrained(kind, own)
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(examples.x), encoder(examples.x), rtol=1e-6)
    assert loaded.input_shape == (None, 8)


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_network_of_the_user_stays_as_it_is(kind, examples, network):
    before = network.get_weights()
    few_steps(kind).pretrain(examples.unlabelled(), network=network)
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_same_seed_gives_the_same_encoder(kind, examples, pretrained):
    again = few_steps(kind).pretrain(examples.unlabelled())
    np.testing.assert_allclose(again(examples.x), pretrained(kind, own=True)(examples.x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ENCODERS)
def test_nothing_but_the_encoder_is_left(kind, pretrained):
    named = [layer.name for layer in pretrained(kind, own=True)._flatten_layers()]
    assert not [name for name in named if "decoder" in name or "projector" in name]


@pytest.mark.parametrize("kind", ENCODERS)
def test_labels_are_refused(kind, examples):
    with pytest.raises(ValueError, match=r"unlabelled: expected Unlabelled examples, received Features. Pretraining"):
        few_steps(kind).pretrain(examples)


@pytest.mark.parametrize("kind", ENCODERS)
def test_one_example_is_refused(kind, examples):
    with pytest.raises(ValueError, match="expected two examples or more, received one"):
        few_steps(kind).pretrain(Unlabelled(x=examples.x[:1]))


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_network_for_other_shapes_is_refused(kind, examples, network):
    narrow = Unlabelled(x=examples.x[:, :5])
    with pytest.raises(ValueError, match=r"network: expected inputs \(5,\), received \(8,\)"):
        few_steps(kind).pretrain(narrow, network=network)


@pytest.mark.parametrize("kind", ENCODERS)
def test_examples_that_are_all_one_are_told(kind):
    with pytest.raises(ValueError, match=r"expected different ones for different examples, received the same for all"):
        few_steps(kind).pretrain(Unlabelled(x=np.ones((40, 8), np.float32)))


@pytest.mark.parametrize("kind", CLUSTERINGS)
def test_finds_the_classes(kind, examples):
    half = examples.select(np.arange(60)), examples.select(np.arange(60, 120)).unlabelled()
    found = few_steps(kind).cluster(half[0].unlabelled(), auxiliary=half[1], clusters=3)
    assert found.assignment.shape == (60,)
    assert clustering_accuracy(half[0].y, found.assignment) > 0.8


@pytest.mark.parametrize("kind", CLUSTERINGS)
def test_the_same_seed_gives_the_same_clusters(kind, examples):
    given = examples.unlabelled()
    one, other = (few_steps(kind).cluster(given, auxiliary=given, clusters=3).assignment for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", CLUSTERINGS)
def test_what_can_not_be_clustered_is_refused(kind, examples):
    given, method = examples.unlabelled(), few_steps(kind)
    with pytest.raises(ValueError, match="target: expected Unlabelled examples, received Features"):
        method.cluster(examples, auxiliary=given, clusters=3)
    with pytest.raises(ValueError, match="auxiliary: expected Unlabelled examples, received Features"):
        method.cluster(given, auxiliary=examples, clusters=3)
    with pytest.raises(ValueError, match=r"target: expected shape \(M, 8\), received shape \(120, 5\)"):
        method.cluster(Unlabelled(x=examples.x[:, :5]), auxiliary=given, clusters=3)
    with pytest.raises(ValueError, match="clusters: expected 2 to 120, received 121"):
        method.cluster(given, auxiliary=given, clusters=121)
