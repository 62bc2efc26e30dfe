"""Adaptation on images: what is refused, how long is trained, and how criteria are counted."""

from types import SimpleNamespace

import numpy as np
import pytest

from zsltf.adaptation.dann import DANN
from zsltf.data.classes import ClassTable
from zsltf.data.domain_pair import DomainPair
from zsltf.data.image_array import ImageArray
from zsltf.evaluation.adaptation import AdaptationOutcome, AdaptationProtocol
from zsltf.evaluation.adaptation_criteria import criterion_rows
from zsltf.evaluation.adaptation_photos import check_enough, with_steps
from zsltf.evaluation.adaptation_starts import StartChoice
from zsltf.evaluation.unlabelled_criteria import CRITERIA
from zsltf.training.descent import Descent

CLASSES = ClassTable(names=("a", "b"), semantics=np.zeros((2, 0), np.float32), seen=np.ones(2, bool))


def images(y):
    return ImageArray(pixels=np.zeros((len(y), 8, 8, 3), np.uint8), y=np.array(y))


def pair(source, target):
    return DomainPair(source=images(source), target=images(target), classes=CLASSES, names=("day", "night"))


def test_a_class_with_a_single_image_is_named():
    with pytest.raises(ValueError, match="night: expected two images of every class, received b 1"):
        check_enough(pair([0, 0, 1, 1], [0, 0, 0, 1]), AdaptationProtocol(validation=0.5, test=0.5))


def test_it_tells_how_many_images_are_trained_on():
    assert check_enough(pair([0, 1] * 10, [0, 1] * 5), AdaptationProtocol(validation=0.25, test=0.4)) == 15


@pytest.mark.parametrize(("steps", "epochs"), [(1, 4), (12, 4), (13, 5), (100, 34)])
def test_few_images_get_more_epochs(steps, epochs):
    method = DANN(descent=Descent(epochs=4, batch_size=10))
    assert with_steps(method, steps, 35).descent.epochs == epochs  # three batches an epoch


def test_fewer_images_than_a_batch_are_one():
    assert with_steps(DANN(), 20, 7).descent.epochs == 20


def run(value, accuracy):
    return SimpleNamespace(criteria=dict.fromkeys(CRITERIA, value), accuracy=accuracy)


def test_criteria_are_counted_by_seed_and_over_all():
    runs = {"SourceOnly": [run(2.0, 0.5), run(1.0, 0.6)], "DANN": [run(1.5, 0.8), run(3.0, 0.7)]}
    outcome = AdaptationOutcome(runs=runs, reference="SourceOnly")
    row = criterion_rows(outcome, "DANN")[0]
    assert row["same_seed"] == 0.5  # right under the first seed alone
    # better of (.8 .7) .8, (.8 .6) .6: wrong, (.8 .5) .8, (.7 .6) .6: wrong, (.7 .5) .5: wrong, (.6 .5) .6
    assert row["any_two"] == pytest.approx(3 / 6)
    assert (row["method"], row["reference"]) == (2.25, 1.5)


def test_models_that_are_equally_good_count_for_neither():
    runs = {"SourceOnly": [run(2.0, 0.5), run(1.0, 0.6)], "DANN": [run(1.5, 0.5), run(0.5, 0.7)]}
    assert criterion_rows(AdaptationOutcome(runs=runs, reference="SourceOnly"), "DANN")[0]["same_seed"] == 1.0


@pytest.mark.parametrize("options", [{"units": 0}, {"pixels": 0}, {"filters": -8}])
def test_sizes_of_nothing_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=rf"StartChoice\.{name}: expected a number > 0"):
        StartChoice(**options)
