"""Episodes scored together against each one fitted by itself, and what is refused before learning."""

import dataclasses

import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.episodes import Episodes
from zsltf.data.features import Features
from zsltf.data.few_shot_layouts import ClassParts
from zsltf.data.few_shot_sets import APART, NO_BASE, FewShotSets
from zsltf.evaluation.episode_scores import class_accuracies, episode_accuracies, episode_answers
from zsltf.evaluation.few_shot import FewShotProtocol, run_few_shot
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.fewshot.simple_shot import SimpleShot

METHODS = {"simple shot": SimpleShot(), "means": NearestClassMean()}


@pytest.fixture(scope="module")
def noisy(toy_features):
    features, classes = toy_features
    noise = np.random.default_rng(7).normal(size=features.x.shape)
    return features.with_x((features.x + 2 * noise).astype(np.float32)), classes


@pytest.fixture(scope="module")
def sets(noisy):
    features, classes = noisy
    parts = ClassParts(base=np.arange(7), validation=np.arange(7, 9), novel=np.arange(9, 16))
    return FewShotSets.of(features, classes, parts)


def one_by_one(learner, novel, episodes):
    """By a Classifier fitted on each episode's support."""
    reached = []
    for episode in episodes:
        count = episode.ways
        names = tuple(f"way {i}" for i in range(count))
        table = ClassTable(names=names, semantics=np.zeros((count, 0), np.float32), seen=np.ones(count, bool))
        fitted = learner.fit(Features(x=novel.x[episode.support], y=episode.support_y), table)
        reached.append((fitted.score(novel.x[episode.query]).argmax(axis=1) == episode.query_y).mean())
    return reached


@pytest.mark.parametrize(
    "episodes", [Episodes(ways=4, shots=2, queries=3), Episodes(ways=(2, 5), shots=(1, 4), queries=2, balanced=False)]
)
def test_accuracies_are_those_of_each_episode_fitted_by_itself(sets, episodes, monkeypatch):
    monkeypatch.setattr("zsltf.evaluation.episode_scores._NUMBERS", 32 * 20 * 5)  # several batches, the last one padded
    drawn = episodes.draw(sets.novel.y, 12)
    learner = SimpleShot().learn(sets.base)
    found = episode_accuracies(episode_answers(learner, sets.novel.x, drawn), drawn)
    np.testing.assert_allclose(found, one_by_one(learner, sets.novel, drawn), atol=1e-9)
    assert 0.2 < found.mean() < 1


def test_methods_meet_the_same_episodes_and_are_compared_in_pairs(sets):
    protocol = FewShotProtocol(sampler=Episodes(ways=4, queries=3), episodes=60, seed=2)
    outcome = run_few_shot(METHODS, sets, protocol)
    assert outcome.protocol == APART
    one, other = outcome.methods["simple shot"], outcome.methods["means"]
    drawn = protocol.draw(sets.novel)
    expected = one_by_one(NearestClassMean(), sets.novel, drawn)
    np.testing.assert_allclose(other.accuracies, expected, atol=1e-9)
    difference, (low, high) = one.above(other)
    assert difference == pytest.approx(np.mean(one.accuracies - other.accuracies))
    assert low < difference < high
    assert high - low < (one.interval[1] - one.interval[0]) + (other.interval[1] - other.interval[0])
    error = one.accuracies.std(ddof=1) / np.sqrt(60)
    assert one.interval[1] - one.mean == pytest.approx(2.001 * error, rel=1e-3)  # Student's with 59 degrees of freedom


def test_accuracies_of_classes_are_over_all_their_queries(sets):
    episodes = Episodes(ways=2, queries=2).draw(np.repeat(np.arange(3), 4), 2, seed=5)
    answers = [episode.query_y.copy() for episode in episodes]
    answers[0][0] = 1 - answers[0][0]
    found = class_accuracies(answers, episodes, 4)
    asked = np.bincount(np.concatenate([episode.classes for episode in episodes]), minlength=4) * 2
    wrong = np.arange(4) == episodes[0].classes[episodes[0].query_y[0]]
    np.testing.assert_allclose(found[asked > 0], 1 - wrong[asked > 0] / asked[asked > 0])
    assert np.isnan(found[3])
    outcome = run_few_shot(METHODS, sets, FewShotProtocol(sampler=Episodes(ways=4, queries=3), episodes=60))
    for one in outcome.methods.values():
        assert np.isnan(one.per_class[:9]).all()
        assert np.nanmean(one.per_class) == pytest.approx(one.mean, abs=0.05)
    assert outcome.chance == 0.25


def test_the_digest_is_of_the_list(sets):
    protocol = FewShotProtocol(sampler=Episodes(ways=3, queries=2), episodes=4)
    methods = {"means": NearestClassMean()}
    digests = [
        run_few_shot(methods, sets, changed).digest
        for changed in (
            protocol,
            protocol,
            dataclasses.replace(protocol, seed=1),
            dataclasses.replace(protocol, episodes=5),
        )
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_without_base_classes_it_says_so(sets):
    alone = FewShotSets(novel=sets.novel, classes=sets.classes)
    protocol = FewShotProtocol(sampler=Episodes(ways=4, queries=3), episodes=20)
    outcome = run_few_shot({"simple shot": SimpleShot()}, alone, protocol)
    assert outcome.protocol == NO_BASE
    drawn = protocol.draw(alone.novel)
    expected = episode_accuracies(episode_answers(SimpleShot().without_base(), alone.novel.x, drawn), drawn)
    np.testing.assert_array_equal(outcome.methods["simple shot"].accuracies, expected)

    class Learns:
        def learn(self, base, *, validation=None, network=None):
            raise AssertionError

    with pytest.raises(ValueError, match="learns: expected base classes to learn from, received none"):
        run_few_shot({"simple shot": SimpleShot(), "learns": Learns()}, alone, protocol)


def test_a_class_in_two_sets_is_named(sets):
    both = {"novel": sets.novel, "classes": sets.classes}
    leaking = sets.base.select([0, 1]).with_y(np.array([9, 3]))
    with pytest.raises(ValueError, match="classes of one set only, received class 9 in base and novel"):
        FewShotSets(**both, base=leaking)
    with pytest.raises(ValueError, match="received class 3 in base and validation"):
        FewShotSets(**both, base=sets.base, validation=leaking.with_y(np.array([3, 8])))
    with pytest.raises(ValueError, match="expected base classes beside validation classes, received none"):
        FewShotSets(**both, validation=sets.validation)


def test_too_few_examples_are_named_by_class_before_anything_is_learned(sets):
    class Learns:
        def learn(self, base, *, validation=None, network=None):
            raise AssertionError

    few = dataclasses.replace(sets, novel=sets.novel.select(np.arange(3, 70)))
    protocol = FewShotProtocol(sampler=Episodes(shots=3, queries=6), episodes=2)
    with pytest.raises(ValueError, match=r"novel classes: expected 9 examples a class .* fewer in 1: class 9 \(7\)"):
        run_few_shot({"learns": Learns()}, few, protocol)
    wide = FewShotProtocol(sampler=Episodes(ways=8, queries=6), episodes=2)
    with pytest.raises(ValueError, match=r"Episodes\.ways: expected at most the 7 classes of the set, received 8"):
        run_few_shot({"learns": Learns()}, sets, wide)


def test_settings_are_checked():
    with pytest.raises(ValueError, match=r"FewShotProtocol\.episodes: expected a number > 0, received 0"):
        FewShotProtocol(episodes=0)
    with pytest.raises(ValueError, match=r"FewShotProtocol\.seed: expected 0 to 4294967295, received -1"):
        FewShotProtocol(seed=-1)


def test_scores_that_are_not_finite_are_no_answers(sets):
    learner = SimpleShot().without_base()
    drawn = FewShotProtocol(sampler=Episodes(ways=3, shots=1, queries=2), episodes=5).draw(sets.novel)
    x = np.full_like(sets.novel.x, np.inf)
    with pytest.raises(ValueError, match=r"expected finite scores, received others in 5 of 5 episodes\. Scale"):
        episode_answers(learner, x, drawn)
