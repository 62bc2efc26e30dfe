"""What every generalisation method keeps; a new file is picked up by itself."""

import dataclasses

import keras
import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.data.features import Features
from zsltf.discovery import names, plugin_type

METHODS = [pytest.param(plugin_type("generalization", name), id=name) for name in names("generalization")]
pytestmark = pytest.mark.parametrize("method", METHODS)
CLASSES = ClassTable(names=("a", "b", "c"), semantics=np.zeros((3, 0), np.float32), seen=np.ones(3, bool))
MILD = {"IRM": {"weight": 1.0}, "EMA": {"decay": 0.9}}  # whose own take more steps than a test
OFF = {"DomainCORAL": {"weight": 0.0}, "GroupDRO": {"rate": 0.0}, "IRM": {"weight": 0.0}}


def domain(seed, count):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    centres = 3 * np.eye(3, 8)
    return Features(x=(centres[y] + 0.7 * rng.normal(size=8) + rng.normal(size=(count, 8))).astype(np.float32), y=y)


@pytest.fixture(scope="module")
def domains():
    return Domains(parts={"photo": domain(0, 90), "sketch": domain(1, 60), "art": domain(2, 75)})


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential([keras.Input((8,)), layers.Dense(12), layers.BatchNormalization(), layers.ReLU()])


def few_steps(method, **changes):
    made = method(**{**MILD.get(method.__name__, {}), **changes})
    descent = dataclasses.replace(made.descent, epochs=30, batch_size=30, learning_rate=0.03)
    return dataclasses.replace(made, descent=descent)


@pytest.fixture(scope="module")
def fitted(domains, network):
    """They train once."""
    found = {}

    def fit(method):
        if method not in found:
            found[method] = few_steps(method).fit(domains, CLASSES, network=network)
        return found[method]

    return fit


def test_is_a_frozen_dataclass_with_its_source(method):
    assert dataclasses.is_dataclass(method)
    assert method.__dataclass_params__.frozen
    assert "Source:" in method.__doc__


def test_search_ranges_name_fields(method):
    assert set(method.SEARCH) <= {field.name for field in dataclasses.fields(method)}
    for name, values in method.SEARCH.items():
        for value in values:
            dataclasses.replace(method(), **{name: value})


def test_beats_chance_on_a_domain_that_it_never_saw(method, fitted):
    test = domain(3, 60)
    assert (fitted(method).score(test.x).argmax(axis=1) == test.y).mean() > 0.6


def test_the_network_of_the_user_stays_as_it_is(method, domains, network):
    before = network.get_weights()
    few_steps(method).fit(domains, CLASSES, network=network)
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_example_of_weight_0_is_as_if_left_out(method, domains, network, fitted):
    part = domains.parts["sketch"]
    weights = np.repeat(np.float32([1, 0]), [60, 60])
    x, y = np.concatenate([part.x, np.full((60, 8), 50, np.float32)]), np.append(part.y, part.y)
    more = Domains(parts={**domains.parts, "sketch": Features(x=x, y=y, sample_weight=weights)})
    again = few_steps(method).fit(more, CLASSES, network=network)
    np.testing.assert_allclose(
        again.score(domain(4, 30).x), fitted(method).score(domain(4, 30).x), rtol=1e-4, atol=1e-4
    )


def test_what_is_frozen_stays_as_it_is(method, domains):
    keras.utils.set_random_seed(0)
    frozen = [keras.layers.Dense(12, name="below"), keras.layers.BatchNormalization(name="norm")]
    network = keras.Sequential([keras.Input((8,)), *frozen, keras.layers.Dense(6)])
    for layer in frozen:
        layer.trainable = False
    classifier = few_steps(method).fit(domains, CLASSES, network=network)
    found = {layer.name: layer for layer in classifier._flatten_layers()}
    for layer in frozen:
        for before, after in zip(layer.get_weights(), found[layer.name].get_weights(), strict=True):
            np.testing.assert_array_equal(before, after)


def test_the_order_of_domains_does_not_matter_to_what_is_wanted(method, domains, network, fitted):
    turned = Domains(parts=dict(reversed(domains.parts.items())))
    again = few_steps(method).fit(turned, CLASSES, network=network)
    np.testing.assert_allclose(
        again.score(domain(4, 30).x), fitted(method).score(domain(4, 30).x), rtol=1e-4, atol=1e-4
    )


def test_saves_and_loads_in_safe_mode(method, fitted, tmp_path):
    classifier = fitted(method)
    classifier.save(tmp_path / "model.keras")
    x = domain(5, 20).x
    np.testing.assert_allclose(Classifier.load(tmp_path / "model.keras").score(x), classifier.score(x), rtol=1e-6)


def test_switched_off_it_is_erm_bit_for_bit(method, domains, network):
    if method.__name__ not in OFF:
        pytest.skip("it has nothing to switch off")
    off = few_steps(method, **OFF[method.__name__]).fit(domains, CLASSES, network=network)
    plain = few_steps(plugin_type("generalization", "erm")).fit(domains, CLASSES, network=network)
    x = domain(6, 30).x
    np.testing.assert_array_equal(off.score(x), plain.score(x))


def test_works_on_features_without_a_network(method, domains):
    classifier = few_steps(method).fit(domains, CLASSES)
    test = domain(3, 60)
    assert (classifier.score(test.x).argmax(axis=1) == test.y).mean() > 0.5


def test_a_domain_without_a_class_is_refused_by_name(method, domains):
    poor = Domains(parts={**domains.parts, "sketch": domains.parts["sketch"].select(domains.parts["sketch"].y < 2)})
    with pytest.raises(ValueError, match="expected the same classes in each, received c missing in sketch"):
        few_steps(method).fit(poor, CLASSES)


def test_a_label_that_is_no_row_of_the_table_is_refused(method, domains):
    art = domains.parts["art"]
    with pytest.raises(ValueError, match=r"Features.y: expected labels < 3, received 3"):
        few_steps(method).fit(Domains(parts={**domains.parts, "art": art.with_y(art.y + 1)}), CLASSES)
