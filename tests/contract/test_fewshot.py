"""What every few-shot method keeps; a new file is picked up by itself."""

import dataclasses

import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.episodes import Episodes
from zsltf.data.features import Features
from zsltf.discovery import names, plugin_type
from zsltf.training.episodic import EpisodicTraining

SHORT = EpisodicTraining(steps=20, episodes=2, ways=4, shots=2, queries=3)
METHODS = [pytest.param(plugin_type("fewshot", name), id=name) for name in names("fewshot")]
pytestmark = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def sets(toy_features):
    """Base, and other classes."""
    features, classes = toy_features
    return features.select(classes.seen[features.y]), features.select(~classes.seen[features.y])


@pytest.fixture(scope="module")
def learners():
    """They learn once."""
    return {}


@pytest.fixture
def learner(method, sets, learners):
    if method not in learners:
        learners[method] = short(method).learn(sets[0])
    return learners[method]


@pytest.fixture(scope="module")
def episode(sets):
    (drawn,) = Episodes(ways=4, shots=2, queries=3).draw(sets[1].y, 1)
    return drawn


def short(method):
    """By its defaults, but with few steps where it trains on episodes."""
    trains = "training" in {field.name for field in dataclasses.fields(method)}
    return method(training=SHORT) if trains else method()


def table(count):
    rows = np.zeros((count, 0), np.float32)
    return ClassTable(names=tuple(f"way {i}" for i in range(count)), semantics=rows, seen=np.ones(count, bool))


def support_of(features, episode):
    return Features(x=features.x[episode.support], y=episode.support_y)


def test_is_a_frozen_dataclass_with_its_source(method):
    assert dataclasses.is_dataclass(method)
    assert method.__dataclass_params__.frozen
    assert "Source:" in method.__doc__


def test_the_fitted_classifier_scores_as_the_episode_does(method, learner, sets, episode):
    """Up to what an image's classes have in common, which no probability depends on."""
    x = sets[1].x
    classifier = learner.fit(support_of(sets[1], episode), table(episode.ways))
    scores = classifier.score(x[episode.query])
    inputs = (x[episode.support][None], episode.support_y[None], x[episode.query][None])
    together = np.asarray(learner.logits(*inputs, episode.ways))[0]
    centred = [values - values.mean(axis=1, keepdims=True) for values in (scores, together)]
    np.testing.assert_allclose(*centred, atol=1e-3 * centred[0].std())


def test_beats_chance(method, learner, sets, episode):
    classifier = learner.fit(support_of(sets[1], episode), table(episode.ways))
    right = classifier.score(sets[1].x[episode.query]).argmax(axis=1) == episode.query_y
    assert right.mean() > 2 / 4


def test_the_order_of_the_support_does_not_matter(method, learner, sets, episode):
    support = support_of(sets[1], episode)
    order = np.random.default_rng(0).permutation(len(support))
    one, other = (
        learner.fit(given, table(episode.ways)).score(sets[1].x[episode.query])
        for given in (support, support.select(order))
    )
    np.testing.assert_allclose(one, other, atol=1e-3 * one.std())


def test_an_example_alone_scores_as_in_a_batch(method, learner, sets, episode):
    if method.TRANSDUCTIVE:
        pytest.skip("its queries are scored together")
    x = sets[1].x
    support, y = x[episode.support][None], episode.support_y[None]
    together = np.asarray(learner.logits(support, y, x[episode.query][None], episode.ways))
    alone = np.asarray(learner.logits(support, y, x[episode.query[:1]][None], episode.ways))
    np.testing.assert_allclose(alone[0, 0], together[0, 0], atol=1e-4 * together.std())


def test_saves_and_loads(method, learner, sets, episode, tmp_path):
    classifier = learner.fit(support_of(sets[1], episode), table(episode.ways))
    classifier.save(tmp_path / "model.keras")
    x = sets[1].x[episode.query]
    np.testing.assert_allclose(Classifier.load(tmp_path / "model.keras").score(x), classifier.score(x), rtol=1e-6)


def test_a_class_without_support_is_refused(method, learner, sets, episode):
    with pytest.raises(ValueError, match="expected an example of every class, received none of way 4"):
        learner.fit(support_of(sets[1], episode), table(episode.ways + 1))
