"""What every method that weighs source examples keeps; a new file is picked up by itself."""

import dataclasses

import numpy as np
import pytest

from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.discovery import names, plugin_type
from zsltf.metrics.effective_size import effective_size

METHODS = [pytest.param(plugin_type("instance", name), id=name) for name in names("instance") if name != "tradaboost"]
pytestmark = pytest.mark.parametrize("method", METHODS)


def normal(seed, count, mean=0.0):
    return np.random.default_rng(seed).normal((mean, 0), size=(count, 2)).astype(np.float32)


def labelled(x):
    return Features(x=x, y=np.zeros(len(x), int))


def test_is_a_frozen_dataclass_with_its_source(method):
    assert dataclasses.is_dataclass(method)
    assert method.__dataclass_params__.frozen
    assert "Source:" in method.__doc__
    assert set(method.SEARCH) <= {field.name for field in dataclasses.fields(method)}


def test_follows_the_true_ratio_of_a_shift(method):
    source, target = normal(0, 400), normal(1, 400, 0.8)
    weights = method().weigh(labelled(source), Unlabelled(x=target)).weights
    true = np.exp(0.8 * source[:, 0] - 0.8**2 / 2)
    assert np.corrcoef(weights, true)[0, 1] > 0.9
    assert weights.mean() == pytest.approx(1, abs=1e-5)
    assert weights.min() >= 0


def test_weighs_all_alike_where_the_domains_are_one(method):
    x = normal(2, 300)
    weights = method().weigh(labelled(x), Unlabelled(x=x)).weights
    assert effective_size(weights) > 0.9 * len(x)


def test_own_weights_of_the_source_multiply(method):
    source, target = labelled(normal(3, 200)), Unlabelled(x=normal(4, 200, 0.5))
    own = np.linspace(0.5, 2, 200).astype(np.float32)
    plain = method().weigh(source, target).weights
    weighted = method().weigh(dataclasses.replace(source, sample_weight=own), target).weights
    np.testing.assert_allclose(weighted / weighted.mean(), plain * own / (plain * own).mean(), rtol=1e-4)


def test_the_order_of_the_target_does_not_matter_much(method):
    source, target = labelled(normal(5, 300)), normal(6, 300, 0.7)
    one, other = (method().weigh(source, Unlabelled(x=x)).weights for x in (target, target[::-1]))
    assert np.corrcoef(one, other)[0, 1] > 0.97


def test_labels_of_the_target_are_refused(method):
    with pytest.raises(ValueError, match="target: expected Unlabelled examples, received Features"):
        method().weigh(labelled(normal(7, 30)), labelled(normal(8, 30)))


def test_too_few_target_examples_are_refused(method):
    with pytest.raises(ValueError, match=r"target: expected [25] examples or more, received 1"):
        method().weigh(labelled(normal(9, 30)), Unlabelled(x=normal(10, 1)))


def test_a_negative_seed_is_refused(method):
    with pytest.raises(ValueError, match=f"{method.__name__}.seed: expected 0 to 4294967295, received -1"):
        method(seed=-1)
