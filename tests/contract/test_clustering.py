"""What every clustering method keeps; a new file is picked up by itself."""

import dataclasses

import numpy as np
import pytest

from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.discovery import names, plugin_type
from zsltf.metrics.clustering import clustering_accuracy
from zsltf.training.descent import Descent

METHODS = [pytest.param(plugin_type("clustering", name), id=name) for name in names("clustering")]
pytestmark = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def examples():
    """Three classes of non-negative vectors."""
    rng = np.random.default_rng(0)
    centres = 4 * rng.uniform(size=(3, 8)) ** 2
    y = np.tile(np.arange(3), 40)
    return Features(x=np.abs(centres[y] + 0.5 * rng.normal(size=(120, 8))).astype(np.float32), y=y)


def few_steps(method):
    if "encoder" not in {field.name for field in dataclasses.fields(method)}:
        return method()
    descent = Descent(epochs=30, batch_size=30, learning_rate=0.01)
    return method(encoder=plugin_type("selftaught", "autoencoder")(size=4, hidden=(12,), descent=descent))


def test_is_a_frozen_dataclass_with_its_source(method):
    assert dataclasses.is_dataclass(method)
    assert method.__dataclass_params__.frozen
    assert "Source:" in method.__doc__


def test_finds_the_classes(method, examples):
    target, auxiliary = examples.select(np.arange(60)), examples.select(np.arange(60, 120))
    found = few_steps(method).cluster(target.unlabelled(), auxiliary=auxiliary.unlabelled(), clusters=3)
    assert found.assignment.shape == (60,)
    assert found.clusters == 3
    assert clustering_accuracy(target.y, found.assignment) > 0.8


def test_the_order_of_examples_does_not_matter_much(method, examples):
    given, order = examples.unlabelled(), np.random.default_rng(1).permutation(120)
    one = few_steps(method).cluster(given, auxiliary=given, clusters=3)
    other = few_steps(method).cluster(examples.select(order).unlabelled(), auxiliary=given, clusters=3)
    assert clustering_accuracy(one.assignment[order], other.assignment) > 0.9


def test_the_same_seed_gives_the_same_clusters(method, examples):
    given = examples.unlabelled()
    one, other = (few_steps(method).cluster(given, auxiliary=given, clusters=3).assignment for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_what_can_not_be_clustered_is_refused(method, examples):
    given, made = examples.unlabelled(), few_steps(method)
    with pytest.raises(ValueError, match="target: expected Unlabelled examples, received Features"):
        made.cluster(examples, auxiliary=given, clusters=3)
    with pytest.raises(ValueError, match="auxiliary: expected Unlabelled examples, received Features"):
        made.cluster(given, auxiliary=examples, clusters=3)
    with pytest.raises(ValueError, match=r"target: expected shape \(M, 8\), received shape \(120, 5\)"):
        made.cluster(Unlabelled(x=examples.x[:, :5]), auxiliary=given, clusters=3)
    with pytest.raises(ValueError, match="clusters: expected 2 to 120, received 121"):
        made.cluster(given, auxiliary=given, clusters=121)
