"""What every adaptation method keeps; a new file is picked up by itself."""

import dataclasses

import keras
import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.discovery import names, plugin_type

METHODS = [pytest.param(plugin_type("adaptation", name), id=name) for name in names("adaptation")]
pytestmark = pytest.mark.parametrize("method", METHODS)
CLASSES = ClassTable(names=("a", "b", "c"), semantics=np.zeros((3, 0), np.float32), seen=np.ones(3, bool))


@pytest.fixture(scope="module")
def domains():
    """Three classes whose features are scaled and shifted in the target."""
    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(3, 8))
    source, target = (np.tile(np.arange(3), 40) for _ in range(2))
    x, other = (centres[y] + rng.normal(size=(120, 8)) for y in (source, target))
    moved = other * rng.uniform(0.7, 1.5, 8) + 1.0
    return Features(x=x.astype(np.float32), y=source), Features(x=moved.astype(np.float32), y=target)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(12), layers.BatchNormalization(), layers.ReLU(), layers.Dense(8)]
    )


@pytest.fixture(scope="module")
def fitted(domains, network):
    """They train once."""
    found = {}

    def fit(method):
        if method not in found:
            found[method] = few_steps(method).fit(domains[0], domains[1].unlabelled(), CLASSES, network=network)
        return found[method]

    return fit


def few_steps(method, **changes):
    made = method(**({"size": 6} if method.__name__ == "SubspaceAlignment" else {}))
    descent = dataclasses.replace(made.descent, epochs=15, batch_size=30, learning_rate=0.01)
    return dataclasses.replace(made, descent=descent, **changes)


def test_is_a_frozen_dataclass_with_its_source(method):
    assert dataclasses.is_dataclass(method)
    assert method.__dataclass_params__.frozen
    assert "Source:" in method.__doc__


def test_search_ranges_name_fields(method):
    assert set(method.SEARCH) <= {field.name for field in dataclasses.fields(method)}
    for name, values in method.SEARCH.items():
        for value in values:
            dataclasses.replace(method(), **{name: value})


def test_learns_the_source(method, domains, fitted):
    source = domains[0]
    if method.__name__ in ("AdaBN", "CORAL", "SubspaceAlignment"):
        pytest.skip("it gives up the source's own scale")
    assert (fitted(method).score(source.x).argmax(axis=1) == source.y).mean() > 0.7


def test_beats_chance_on_the_target(method, domains, fitted):
    target = domains[1]
    assert (fitted(method).score(target.x).argmax(axis=1) == target.y).mean() > 0.5


def test_the_network_of_the_user_stays_as_it_is(method, domains, network):
    before = network.get_weights()
    few_steps(method).fit(domains[0], domains[1].unlabelled(), CLASSES, network=network)
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_seed_gives_the_same_classifier(method, domains, network, fitted):
    again = few_steps(method).fit(domains[0], domains[1].unlabelled(), CLASSES, network=network)
    np.testing.assert_allclose(again.score(domains[1].x), fitted(method).score(domains[1].x), rtol=1e-4, atol=1e-4)


def test_saves_and_loads_in_safe_mode(method, domains, fitted, tmp_path):
    classifier = fitted(method)
    classifier.save(tmp_path / "model.keras")
    x = domains[1].x
    np.testing.assert_allclose(Classifier.load(tmp_path / "model.keras").score(x), classifier.score(x), rtol=1e-6)


def test_holds_no_trace_of_the_domain_head(method, fitted):
    named = [layer.name for layer in fitted(method)._flatten_layers()]
    assert not [name for name in named if "domain" in name or "reversal" in name]


def test_without_its_weight_it_is_source_only_bit_for_bit(method, domains, network):
    if "weight" not in {field.name for field in dataclasses.fields(method)}:
        pytest.skip("it has no weight to switch off")
    off = few_steps(method, weight=0.0)
    plain = few_steps(plugin_type("adaptation", "source_only"))
    given = domains[0], domains[1].unlabelled(), CLASSES
    one, other = (each.fit(*given, network=network).score(domains[1].x) for each in (off, plain))
    np.testing.assert_array_equal(one, other)


def test_with_nothing_to_train_a_weight_is_refused(method, domains):
    if "weight" not in {field.name for field in dataclasses.fields(method)}:
        pytest.skip("it trains nothing towards the target")
    given = domains[0], domains[1].unlabelled(), CLASSES
    with pytest.raises(ValueError, match=r"network: expected one with weights to train, received none. Give a network"):
        few_steps(method).fit(*given)
    few_steps(method, weight=0.0).fit(*given)


def test_target_labels_are_refused(method, domains, network):
    with pytest.raises(ValueError, match=r"target: expected Unlabelled examples, received Features. Leave the labels"):
        few_steps(method).fit(*domains, CLASSES, network=network)


def test_a_source_example_of_weight_0_is_as_if_left_out(method, domains, network):
    source, target = domains[0], domains[1].unlabelled()
    weights = np.repeat(np.float32([1, 0]), [120, 6])
    x, y = np.concatenate([source.x, np.full((6, 8), 50, np.float32)]), np.append(source.y, source.y[:6])
    given = source, Features(x=x, y=y, sample_weight=weights)
    one, other = (few_steps(method).fit(each, target, CLASSES, network=network).score(target.x) for each in given)
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_a_target_of_another_shape_is_refused(method, domains, network):
    narrow = domains[1].with_x(domains[1].x[:, :5]).unlabelled()
    with pytest.raises(ValueError, match=r"target: expected shape \(M, 8\), received shape \(120, 5\)"):
        few_steps(method).fit(domains[0], narrow, CLASSES, network=network)


def test_a_class_without_source_examples_is_refused(method, domains, network):
    source = domains[0].select(domains[0].y < 2)
    with pytest.raises(ValueError, match="expected an example of every class, received none of c"):
        few_steps(method).fit(source, domains[1].unlabelled(), CLASSES, network=network)
