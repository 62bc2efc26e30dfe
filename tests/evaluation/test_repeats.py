"""Repeated trainings: the same as one at a time, each under its own seed."""

import numpy as np
import pytest
from training.problems import CLASSES, FAST, examples

from zsltf.backbones.conv4 import conv4
from zsltf.data.labelled import LabelledImages
from zsltf.data.splits import Split
from zsltf.evaluation.repeats import repeat_transfer
from zsltf.evaluation.transfer import transfer
from zsltf.training.seeds import seed_everything
from zsltf.transfer.fine_tune import FineTune

METHOD = FineTune(schedule="full", epochs=1, training=FAST).with_seed(3)
ROWS = np.arange(30)
LABELLED = LabelledImages(
    images=examples().images, classes=CLASSES, split=Split(train=ROWS[:18], validation=ROWS[:0], test=ROWS[18:])
)


def build():
    return conv4("random", size=16)


def scores(outcome):
    return outcome.classifier.score(LABELLED.test.pixels)


def test_each_is_the_training_that_its_seed_alone_gives():
    told = []
    outcomes = repeat_transfer(METHOD, build, LABELLED, 2, announce=told.append)
    assert [outcome.method.training.seed for outcome in outcomes] == [3, 4]
    for seed, outcome in zip((3, 4), outcomes, strict=True):
        seed_everything(seed)
        np.testing.assert_array_equal(scores(outcome), scores(transfer(METHOD.with_seed(seed), build(), LABELLED)))
    assert np.abs(scores(outcomes[0]) - scores(outcomes[1])).max() > 1e-3
    assert [[row["phase"] for row in rows] for rows in told] == [["all"]]


def test_none_at_all_is_refused_before_anything_is_built():
    with pytest.raises(ValueError, match=r"repeats: expected a number > 0, received 0"):
        repeat_transfer(METHOD, pytest.fail, LABELLED, 0, announce=pytest.fail)
