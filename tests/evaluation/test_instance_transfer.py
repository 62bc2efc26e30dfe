"""Instance transfer measured: what each classifier is given, what the weights are worth, and what is refused."""

from dataclasses import dataclass

import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.reweighted import reweighted
from zsltf.data.unlabelled import Unlabelled
from zsltf.evaluation.instance_protocol import InstanceProtocol
from zsltf.evaluation.instance_transfer import ALONE, BOOSTED, BOTH, UNWEIGHTED, run_instance_transfer
from zsltf.instance.classifier_ratio import ClassifierRatio
from zsltf.instance.tradaboost import TrAdaBoost
from zsltf.metrics.effective_size import effective_size
from zsltf.metrics.intervals import paired_interval
from zsltf.transfer.linear_probe import LinearProbe

CLASSES = ClassTable(names=("a", "b", "c"), semantics=np.zeros((3, 0), np.float32), seen=np.ones(3, bool))


def domain(seed, count=60, turned=False, shift=0.0):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    centres = 3 * np.eye(3, 4)[[1, 2, 0] if turned else [0, 1, 2]]
    return Features(x=(centres[y] + rng.normal(size=(count, 4)) + shift).astype(np.float32), y=y)


@dataclass(frozen=True, kw_only=True)
class Halves:
    """Weight on the first half of the source; tells what it was given."""

    seed: int = 0
    seen = []  # noqa: RUF012 (of all)

    def weigh(self, source, target):
        Halves.seen.append((self, source, target))
        return reweighted("Halves", source, (np.arange(len(source)) < len(source) / 2) * 1.0)


def test_weights_are_found_without_target_labels_and_on_few_components():
    Halves.seen.clear()
    source, target = domain(0), domain(1)
    protocol = InstanceProtocol(seeds=(4, 5), shots=2, components=3)
    outcome = run_instance_transfer(Halves(), source, target, CLASSES, protocol)
    assert [method.seed for method, _, _ in Halves.seen] == [4, 5]
    for _, weighed, given in Halves.seen:
        assert isinstance(given, Unlabelled)
        assert (weighed.x.shape, given.x.shape) == ((60, 3), (30, 3))
        spread = np.linalg.svd(weighed.x - weighed.x.mean(axis=0), compute_uv=False)
        assert spread[-1] > 0.1
    np.testing.assert_allclose(outcome.sizes, [30, 30])
    np.testing.assert_allclose(outcome.weights, np.repeat([2.0, 0.0], 30))
    half = LinearProbe().fit(source.select(np.arange(30)), CLASSES)
    _, _, test = protocol.parts(target, 4)
    expected = half.score(test.x).argmax(axis=1) == test.y
    assert outcome.accuracies["source, Halves"][0] == pytest.approx(expected.mean(), abs=0.04)


def test_parts_of_the_target_stay_apart_and_the_few_are_so_many():
    target = domain(2, 63)
    given, few, test = InstanceProtocol(shots=3, test=0.4).parts(target, 1)
    rows = [{row.tobytes() for row in part.x} for part in (given, few, test)]
    assert not rows[0] & rows[2]
    assert rows[1] <= rows[0]
    assert len(given) + len(test) == 63
    np.testing.assert_array_equal(np.bincount(few.y), [3, 3, 3])


def test_where_the_source_contradicts_boosting_beats_both_and_the_source_alone_fails():
    source, target = domain(3, 150, turned=True), domain(4, 120)
    outcome = run_instance_transfer(TrAdaBoost(), source, target, CLASSES, InstanceProtocol(seeds=(0, 1), shots=6))
    assert list(outcome.accuracies) == [UNWEIGHTED, ALONE, BOTH, BOOSTED]
    assert outcome.main == BOOSTED
    assert outcome.reference == BOTH
    means = {name: found.mean() for name, found in outcome.accuracies.items()}
    assert means[UNWEIGHTED] < 0.3
    assert means[BOOSTED] > means[BOTH] + 0.1
    gain, interval = outcome.above(BOOSTED, BOTH)
    assert gain == pytest.approx(means[BOOSTED] - means[BOTH])
    assert interval == paired_interval(outcome.accuracies[BOOSTED], outcome.accuracies[BOTH])
    assert outcome.sizes[0] == pytest.approx(effective_size(outcome.weights))


def test_weights_that_collapse_are_told():
    outcome = run_instance_transfer(
        ClassifierRatio(inverse_penalty=1e4, clip=1.0),
        domain(5, 120),
        domain(6, 120, shift=1.6),
        CLASSES,
        InstanceProtocol(seeds=(0,)),
    )
    assert outcome.sizes[0] < 0.05 * 120
    assert len(outcome.warned) == 1
    assert "ClassifierRatio: 120 examples are worth" in outcome.warned[0]


def test_domains_that_do_not_do_are_refused():
    source, target = domain(7), domain(8, 12)
    with pytest.raises(ValueError, match="shots: expected at most the 2 of each class that are not tested on"):
        run_instance_transfer(Halves(), source, target, CLASSES, InstanceProtocol(shots=3))
    with pytest.raises(ValueError, match="expected the same classes in each, received c missing in target"):
        run_instance_transfer(Halves(), source, target.select(target.y < 2), CLASSES, InstanceProtocol(shots=1))
    maps = Features(x=np.zeros((6, 2, 2, 3), np.float32), y=np.arange(6) % 3)
    with pytest.raises(ValueError, match=r"instance transfer: expected features \(N, D\)"):
        run_instance_transfer(Halves(), maps, maps, CLASSES, InstanceProtocol(shots=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": ()}, "expected seeds, and a share above 0"),
        ({"test": 0.0}, "expected seeds, and a share above 0"),
        ({"shots": 0}, "shots: expected a number > 0"),
        ({"inverse_penalty": 0.0}, "inverse_penalty: expected a number > 0"),
        ({"components": 0}, "components: expected a number > 0"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        InstanceProtocol(**options)
