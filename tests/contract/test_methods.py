"""What every method of every family keeps; a new file is picked up by itself."""

import dataclasses
import inspect
import itertools

import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.discovery import names, plugin_type
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.metrics.zero_shot import unseen_accuracy
from zsltf.similarities.cross_attention import CrossAttention
from zsltf.similarities.max_over_maps import MaxOverMaps
from zsltf.solvers.statistics import Statistics
from zsltf.weighted_sum import weighted_sum
from zsltf.zeroshot.auto import Auto
from zsltf.zeroshot.lexicon import Lexicon


def _fit_parameters(method):
    return inspect.signature(method.fit).parameters if hasattr(method, "fit") else ()


METHODS = [
    pytest.param(family, plugin_type(family, name), id=f"{family}-{name}")
    for family in ("zeroshot", "fewshot", "transfer")
    for name in names(family)
    if "train" in _fit_parameters(plugin_type(family, name))  # fine-tuning takes images, some few-shot methods a base
]
pytestmark = pytest.mark.parametrize(("family", "method"), METHODS)


@pytest.fixture(scope="module")
def fits():
    """Classifiers of each method on its problem: they are fitted once."""
    return {}


@pytest.fixture
def fitted(method, problem, fits):
    """The method with its defaults, fitted."""
    if method not in fits:
        train, _, classes = problem
        fits[method] = method().fit(train, classes)
    return fits[method]


@pytest.fixture
def problem(family, method, toy_features):
    """Train, test and classes: unseen ones for zero-shot methods, only seen ones for the others."""
    features, classes = toy_features
    if method is Lexicon:
        classes = dataclasses.replace(classes, blocks=(4, 4))  # a unit for each factor's value
    rank = np.tile(np.arange(10), len(classes))
    if family == "zeroshot":
        return features.select(classes.seen[features.y]), features.select(~classes.seen[features.y]), classes
    everything = classes.with_seen(np.ones(len(classes), bool))
    return features.select(rank < 5), features.select(rank >= 5), everything


def test_is_a_frozen_dataclass_that_explains_its_fields(family, method):
    assert dataclasses.is_dataclass(method)
    assert method.__dataclass_params__.frozen
    assert "Source:" in method.__doc__
    assert set(method.SEARCH) <= {field.name for field in dataclasses.fields(method)}
    for field, values in method.SEARCH.items():
        assert [getattr(method(**{field: value}), field) for value in values] == list(values)


def test_beats_chance(family, method, problem, fitted):
    _, test, classes = problem
    scores = fitted.score(test.x)
    if family == "zeroshot":
        assert unseen_accuracy(scores, test.y, classes.seen) > 2 / 4
    else:
        assert mean_class_accuracy(test.y, scores.argmax(axis=1)) > 0.9


def test_the_order_of_images_does_not_matter(family, method, problem, fitted):
    train, test, classes = problem
    order = np.random.default_rng(1).permutation(len(train))
    expected = fitted.score(test.x)
    same_for(method)(method().fit(train.select(order), classes).score(test.x), expected)


def test_the_order_of_classes_only_permutes_the_scores(family, method, problem, fitted):
    train, test, classes = problem
    order = np.random.default_rng(2).permutation(len(classes))
    moved = train.with_y(order.argsort()[train.y])
    expected = fitted.score(test.x)[:, order]
    same = assert_alike if hasattr(method, "choose") else assert_close
    same(method().fit(moved, classes.select(order)).score(test.x), expected)


def test_a_weight_counts_like_repetition(family, method, problem):
    train, test, classes = problem
    times = np.random.default_rng(3).integers(1, 4, len(train))
    weighted = dataclasses.replace(train, sample_weight=times.astype(np.float32))
    repeated = train.select(np.repeat(np.arange(len(train)), times))
    expected = method().fit(repeated, classes).score(test.x)
    same_for(method)(method().fit(weighted, classes).score(test.x), expected)


def test_saves_and_loads_to_the_bit(family, method, problem, fitted, tmp_path):
    _, test, classes = problem
    fitted.save(tmp_path / "model.keras")
    loaded = Classifier.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.score(test.x), fitted.score(test.x))
    assert (loaded.names, loaded.opens_by, loaded.gamma) == (fitted.names, fitted.opens_by, fitted.gamma)
    np.testing.assert_array_equal(loaded.classes.semantics, classes.semantics)
    np.testing.assert_array_equal(loaded.classes.seen, classes.seen)


def test_takes_a_new_class_by_each_door_that_it_claims_and_by_no_other(family, method, problem, toy_features):
    train, test, classes = problem
    hidden = len(classes) - 1
    rest = classes.select(np.arange(hidden))
    fitted = method().fit(train.select(train.y != hidden), rest)
    new, photos = classes.select([hidden]), toy_features[0].select(toy_features[0].y == hidden).x
    doors = {
        "semantics": lambda: fitted.with_classes(new),
        "photos": lambda: fitted.with_photos(new.names[0], photos[:5], new.semantics[0]),
    }
    for door, enter in doors.items():
        if door not in fitted.opens_by:
            with pytest.raises(ValueError, match=f"expected a Classifier that opens by {door}"):
                enter()
            continue
        opened = enter()
        assert opened.names == classes.names
        assert not opened.classes.seen[hidden]
        expected = fitted.score(test.x)  # equal but for the rounding of a product that is one column wider
        np.testing.assert_allclose(opened.score(test.x)[:, :hidden], expected, atol=1e-5 * expected.std(), rtol=0)
        others = [c for c in range(hidden) if family != "zeroshot" or not classes.seen[c]]
        scores = opened.score(photos[5:])[:, [*others, hidden]]
        assert (scores.argmax(axis=1) == len(others)).mean() > 0.5


def test_the_grid_is_every_single_fit(family, method, problem):
    if not hasattr(method, "fit_grid"):
        pytest.skip("scores its settings one by one")
    train, test, classes = problem
    found = list(method().fit_grid(train, classes, test.x))
    settings = [tuple(getattr(setting, name) for name in method.SEARCH) for setting, _ in found]
    assert settings == list(itertools.product(*method.SEARCH.values()))
    for setting, scores in found[:: max(1, len(found) // 5)]:
        assert_close(scores, setting.fit(train, classes).score(test.x), 0.1)  # a solver may start from its last result


def test_one_pass_is_enough_where_it_says_so(family, method, problem, fitted):
    if not hasattr(method, "solve"):
        pytest.skip("needs the examples themselves")
    train, test, classes = problem
    halves = [Statistics.of(train.select(rows), classes) for rows in (np.arange(40), np.arange(40, len(train)))]
    assert_close(method().solve(sum(halves[1:], halves[0]), classes).score(test.x), fitted.score(test.x))


def test_auto_takes_it_unless_it_cannot_be_added_to_others(family, method, problem, fitted):
    name = method.__module__.rpartition(".")[2]
    if family != "zeroshot" or name == "auto":
        pytest.skip("is no candidate of auto")
    try:
        Auto(methods=(name,))
    except ValueError:
        assert getattr(method, "FEATURE_MAPS", False) or isinstance(fitted.similarity, CrossAttention | MaxOverMaps)
    else:
        assert weighted_sum([fitted], [1.0]).names == fitted.names


def test_takes_feature_maps_or_refuses_them(family, method, problem):
    train, test, classes = problem
    maps = train.with_x(np.repeat(train.x[:, None, None], 2, axis=1))
    try:
        scores = method().fit(maps, classes).score(np.repeat(test.x[:, None, None], 2, axis=1))
    except ValueError as error:
        assert "expected features (N, D), received maps" in str(error)  # noqa: PT017 (either outcome is right)
    else:
        assert scores.shape == (len(test), len(classes))


def same_for(method):
    """How near two fits on the same examples in other batches or other folds should be."""
    trained = "descent" in {field.name for field in dataclasses.fields(method)}
    return assert_alike if trained or hasattr(method, "choose") else assert_close


def assert_alike(got, expected):
    """What one ranks high for an image, the other does."""
    got, expected = (scores - scores.mean(axis=1, keepdims=True) for scores in (got, expected))
    assert np.corrcoef(got.ravel(), expected.ravel())[0, 1] > 0.9


def assert_close(got, expected, tolerance=2e-3):
    """Equal up to the solver's tolerance, relative to the scores' spread."""
    np.testing.assert_allclose(got, expected, atol=tolerance * expected.std(), rtol=0)
