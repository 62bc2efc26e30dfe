"""TrAdaBoost against a loop over its formulas, and where the source contradicts the target."""

import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.instance.tradaboost import TrAdaBoost, boosted_weights
from zsltf.transfer.linear_probe import LinearProbe

CLASSES = ClassTable(names=("a", "b", "c"), semantics=np.zeros((3, 0), np.float32), seen=np.ones(3, bool))


def domain(seed, count, turned=False):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    centres = 3 * np.eye(3, 4)[[1, 2, 0] if turned else [0, 1, 2]]
    return Features(x=(centres[y] + rng.normal(size=(count, 4))).astype(np.float32), y=y)


def test_weights_follow_the_published_rules():
    weights = np.array([1.0, 2.0, 1.0, 3.0, 1.0])
    wrong, is_source = np.array([True, False, True, False, True]), np.array([True, True, True, False, False])
    found, vote = boosted_weights(weights, wrong, is_source, 10, 3)
    error = 1 / 4  # on the target's weights, 3 and 1
    beta = 1 / (1 + np.sqrt(2 * np.log(3) / 10))
    factor = (1 - error) / error * 2
    np.testing.assert_allclose(found, [1 * beta, 2, 1 * beta, 3, 1 * factor])
    assert vote == pytest.approx(np.log(factor))


def test_without_source_it_is_boosting_with_a_late_vote():
    weights = np.array([1.0, 1.0, 2.0])
    found, vote = boosted_weights(weights, np.array([True, False, False]), np.zeros(3, bool), 10, 2)
    np.testing.assert_allclose(found, [3, 1, 2])  # AdaBoost.M1's odds of an error of 1/4
    assert vote == pytest.approx(np.log(3))


def test_lets_go_of_source_examples_that_contradict_the_target():
    source, few, test = domain(0, 300, turned=True), domain(1, 15), domain(2, 300)
    boosted = TrAdaBoost().fit(source, few, CLASSES)
    pooled = Features(x=np.concatenate([source.x, few.x]), y=np.concatenate([source.y, few.y]))
    probe = LinearProbe().fit(pooled, CLASSES)
    right = [(c.score(test.x).argmax(axis=1) == test.y).mean() for c in (boosted, probe)]
    assert right[0] > 0.7
    assert right[0] > right[1] + 0.2


def test_the_source_examples_that_contradict_the_target_weigh_less_in_the_end():
    right, wrong, few = domain(5, 150), domain(6, 150, turned=True), domain(7, 30)
    source = Features(x=np.concatenate([right.x, wrong.x]), y=np.concatenate([right.y, wrong.y]))
    weights = TrAdaBoost().source_weights(source, few, CLASSES)
    assert weights.shape == (300,)
    assert weights.mean() == pytest.approx(1)
    assert weights[:150].mean() > 3 * weights[150:].mean()


def test_saves_and_loads(tmp_path):
    source, few = domain(3, 60), domain(4, 15)
    classifier = TrAdaBoost(rounds=4).fit(source, few, CLASSES)
    classifier.save(tmp_path / "model.keras")
    np.testing.assert_allclose(Classifier.load(tmp_path / "model.keras").score(few.x), classifier.score(few.x))


def test_one_round_is_refused():
    with pytest.raises(ValueError, match=r"TrAdaBoost.rounds: expected 2 or more, received 1"):
        TrAdaBoost(rounds=1)


def test_a_class_without_an_example_in_either_domain_is_refused():
    source, few = (part.select(part.y != 1) for part in (domain(10, 60), domain(11, 15)))
    with pytest.raises(ValueError, match="expected an example of every class, received none of b"):
        TrAdaBoost().fit(source, few, CLASSES)


def test_vectors_of_two_lengths_are_refused():
    few = domain(13, 15)
    with pytest.raises(ValueError, match=r"Domains: expected examples of one shape, received .*\(4,\).*\(3,\)"):
        TrAdaBoost().fit(domain(12, 60), few.with_x(few.x[:, :3]), CLASSES)
