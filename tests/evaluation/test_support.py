"""Photos are scored by what has not learnt from them."""

import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.evaluation.support import left_out_scores
from zsltf.fewshot.nearest_class_mean import NearestClassMean


def table(count):
    rows = np.zeros((count, 0), np.float32)
    return ClassTable(names=tuple("abcdef"[:count]), semantics=rows, seen=np.ones(count, bool))


def support(*counts):
    y = np.repeat(np.arange(len(counts)), counts)
    x = np.random.default_rng(0).normal(size=(len(y), 6)).astype(np.float32)
    return Features(x=x, y=y)


def test_each_photo_is_scored_without_itself_and_one_of_each_class():
    """Against the distances to means that are taken here."""
    features = support(3, 3, 3)
    rows, scores = left_out_scores(NearestClassMean(), features, table(3))
    np.testing.assert_array_equal(rows, np.arange(9))
    by_class = features.x.reshape(3, 3, 6)
    for label in range(3):
        for place in range(3):
            means = np.delete(by_class, place, axis=1).mean(axis=1)
            expected = -((by_class[label, place] - means) ** 2).sum(axis=1)
            received = scores[3 * label + place]
            np.testing.assert_allclose(received - received.mean(), expected - expected.mean(), atol=1e-4)


def test_a_single_photo_stays_and_is_no_row():
    rows, scores = left_out_scores(NearestClassMean(), support(3, 1, 2), table(3))
    np.testing.assert_array_equal(rows, [0, 1, 2, 4, 5])
    assert np.isfinite(scores).all()
    rows, scores = left_out_scores(NearestClassMean(), support(1, 1), table(2))
    assert (len(rows), scores.shape) == (0, (0, 2))


class Counting:
    """Remembers from how many photos of each class it learnt."""

    def __init__(self):
        self.seen = []

    def fit(self, train, classes):
        self.seen.append(np.bincount(train.y, minlength=len(classes)))
        return NearestClassMean().fit(train, classes)


@pytest.mark.parametrize("counts", [(45, 45), (45, 2), (20, 21)])
def test_twenty_folds_are_enough_and_every_photo_is_in_one(counts):
    learner, features = Counting(), support(*counts)
    left_out_scores(learner, features, table(2))
    assert len(learner.seen) == 20
    left_out = np.array(counts) - learner.seen
    np.testing.assert_array_equal(left_out.sum(axis=0), counts)
    assert (np.array(learner.seen) > 0).all()
