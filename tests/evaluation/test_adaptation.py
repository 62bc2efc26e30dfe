"""Adaptation measured: parts that stay apart, seeds, gains, and criteria that see no target label."""

from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import entropy

from zsltf.adaptation.coral import CORAL
from zsltf.adaptation.deep_coral import DeepCORAL
from zsltf.adaptation.source_only import SourceOnly
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity
from zsltf.evaluation.adaptation import AdaptationProtocol, picked_better, run_adaptation, under_target_statistics
from zsltf.evaluation.unlabelled_criteria import CRITERIA, domain_gap, source_risk, target_entropy, weighted_risk
from zsltf.training.descent import Descent

CLASSES = ClassTable(names=("a", "b", "c"), semantics=np.zeros((3, 0), np.float32), seen=np.ones(3, bool))
PROTOCOL = AdaptationProtocol(seeds=(0, 1), validation=0.25, test=0.4)


def domain(seed, shift=0.0, count=90):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    x = 3 * np.eye(3, 5)[y] + rng.normal(size=(count, 5)) + shift
    return Features(x=x.astype(np.float32), y=y)


def normalised(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(4), keras.layers.BatchNormalization()])


class Spy(SourceOnly):
    """What it is given."""

    seen: ClassVar[list] = []

    def fit(self, source, target, classes, *, network=None):
        Spy.seen.append((source, target))
        return super().fit(source, target, classes, network=network)


def test_what_is_tested_was_not_adapted_to_and_every_class_is_in_all_parts():
    Spy.seen.clear()
    source, target = domain(0), domain(1, 1.0)
    run_adaptation({"source only": Spy(descent=Descent(epochs=1))}, source, target, CLASSES, PROTOCOL)
    (trained, given), (again, _) = Spy.seen
    assert len(trained) == 67  # 90 less a quarter
    assert len(given) == 54
    np.testing.assert_array_equal(trained.x, again.x)
    assert set(trained.y) == {0, 1, 2}
    assert not hasattr(given, "y")


def test_gains_are_over_source_only_under_the_same_seed():
    methods = {"source only": SourceOnly(descent=Descent(epochs=5)), "CORAL": CORAL(descent=Descent(epochs=5))}
    told = []
    outcome = run_adaptation(
        methods,
        domain(0),
        domain(1, 2.0),
        CLASSES,
        PROTOCOL,
        network=normalised,
        announce=lambda *run: told.append(run),
    )
    assert [(name, seed) for name, seed, _ in told] == [
        ("source only", 0), ("CORAL", 0), ("source only", 1), ("CORAL", 1)
    ]  # fmt: skip
    gain, (low, high) = outcome.above_source_only("CORAL")
    one, other = (outcome.accuracies(name) for name in ("CORAL", "source only"))
    assert gain == pytest.approx(np.mean(one - other))
    assert low <= gain <= high
    assert set(told[0][2].criteria) == set(CRITERIA)
    assert not np.isnan(outcome.accuracies("CORAL", recalibrated=True)).any()


def test_without_batch_norm_there_is_nothing_to_measure_anew():
    methods = {"source only": SourceOnly(descent=Descent(epochs=1))}
    outcome = run_adaptation(methods, domain(0), domain(1), CLASSES, PROTOCOL)
    assert np.isnan(outcome.accuracies("source only", recalibrated=True)).all()


def test_statistics_of_the_target_are_those_of_its_examples():
    target = domain(2, 4.0)
    method = DeepCORAL(descent=Descent(epochs=2))
    classifier = method.fit(domain(0), target.unlabelled(), CLASSES, network=normalised(0))
    before = [weight.copy() for weight in classifier.embed.get_weights()]
    other = under_target_statistics(classifier, target.unlabelled(), batch_size=len(target))
    dense, norm = (
        next(la for la in other.embed._flatten_layers() if isinstance(la, kind))
        for kind in (keras.layers.Dense, keras.layers.BatchNormalization)
    )
    np.testing.assert_allclose(norm.moving_mean, np.mean(dense(target.x), axis=0), rtol=1e-4, atol=1e-5)
    for one, same in zip(before, classifier.embed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)


def test_a_missing_reference_is_refused():
    with pytest.raises(ValueError, match="methods: expected 'source only' among them, received CORAL"):
        run_adaptation({"CORAL": CORAL()}, domain(0), domain(1), CLASSES, PROTOCOL)


def test_domains_with_different_classes_are_refused_by_name():
    target = domain(1)
    with pytest.raises(ValueError, match="expected the same classes in each, received c missing in target"):
        run_adaptation({"source only": SourceOnly()}, domain(0), target.select(target.y < 2), CLASSES, PROTOCOL)


def test_shares_of_nothing_are_refused():
    with pytest.raises(ValueError, match="expected seeds, and shares above 0"):
        AdaptationProtocol(test=0.0)


@pytest.mark.parametrize(
    ("criterion", "accuracy", "share"),
    [([1, 2, 3], [0.9, 0.8, 0.7], 1.0), ([3, 2, 1], [0.9, 0.8, 0.7], 0.0), ([1, 1, 2], [0.9, 0.8, 0.8], 0.75)],
)
def test_how_often_a_criterion_picks_the_better_of_two(criterion, accuracy, share):
    assert picked_better(criterion, accuracy) == share


def plain(kernel):
    return Classifier(identity(5), CLASSES, class_vectors=kernel.astype(np.float32), opens_by=())


def test_criteria_are_their_formulas():
    rng = np.random.default_rng(0)
    classifier, source, target = plain(rng.normal(size=(3, 5))), domain(3), domain(4, 1.0)
    losses = tf.keras.losses.sparse_categorical_crossentropy(
        source.y, source.x @ classifier.class_vectors.numpy().T, from_logits=True
    )
    assert source_risk(classifier, source, target.unlabelled()) == pytest.approx(float(np.mean(losses)), rel=1e-5)
    shares = tf.nn.softmax(target.x @ classifier.class_vectors.numpy().T).numpy()
    expected = np.mean([entropy(row) for row in shares]) - entropy(shares.mean(axis=0))
    assert target_entropy(classifier, source, target.unlabelled()) == pytest.approx(expected, rel=1e-4)


def test_on_one_domain_there_is_no_gap_and_weights_change_little():
    classifier, source, target = plain(2 * np.eye(3, 5)), domain(5, count=600), domain(6, count=600).unlabelled()
    assert domain_gap(classifier, source, target) < 0.15
    assert weighted_risk(classifier, source, target) == pytest.approx(source_risk(classifier, source, target), rel=0.1)
    assert domain_gap(classifier, source, domain(6, 3.0, 600).unlabelled()) > 0.9


@pytest.mark.parametrize("count", [300, 2400])  # more than are embedded, too
def test_a_risk_is_weighted_by_the_weights_of_its_own_examples(count):
    """Only the third class's examples are wrong, and the target has no others: most of the weight is theirs."""
    classifier, source = plain(np.diag([3.0, 3.0, -3.0]) @ np.eye(3, 5)), domain(7, count=count)
    target = domain(8, count=count)
    third = target.select(target.y == 2).unlabelled()
    assert weighted_risk(classifier, source, third) > 1.6 * source_risk(classifier, source, third)
