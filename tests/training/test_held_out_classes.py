"""Parts of the base classes, and the accuracy that settings are chosen by."""

import numpy as np
import pytest

from zsltf.data.episodes import Episodes
from zsltf.data.features import Features
from zsltf.training.held_out_classes import class_parts, nearest_mean_accuracy, part_episodes


def features(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    return Features(x=np.random.default_rng(0).normal(size=(len(y), 3)).astype(np.float32), y=y)


def test_every_class_is_held_out_once_and_never_on_both_sides():
    base = features([3] * 11)
    parts = list(class_parts(base, 0))
    assert len(parts) == 5
    assert sorted(label for _, held in parts for label in np.unique(held.y)) == list(range(11))
    for others, held in parts:
        assert len(np.unique(held.y)) >= 2
        assert not set(others.y) & set(held.y)
        assert len(others) + len(held) == len(base)
    again = list(class_parts(base, 0))
    assert all(np.array_equal(one[1].y, other[1].y) for one, other in zip(parts, again, strict=True))


def test_a_class_of_one_example_is_never_held_out():
    parts = list(class_parts(features([4, 4, 4, 4, 1]), 0))
    assert len(parts) == 2
    assert all(4 in others.y for others, _ in parts)


def test_too_few_classes_give_no_part():
    assert list(class_parts(features([5, 5, 5]), 0)) == []
    assert list(class_parts(features([5, 5, 5, 1]), 0)) == []


def test_accuracy_is_that_of_distances_computed_one_by_one():
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(4), 12)
    z = rng.normal(size=(48, 5)) + 1.5 * rng.normal(size=(4, 5))[y]
    right = []
    for shots, queries in ((1, 11), (5, 7)):
        reached = []
        for episode in Episodes(ways=4, shots=shots, queries=queries).draw(y, 100, seed=7):
            means = np.stack([z[episode.support[episode.support_y == way]].mean(axis=0) for way in range(4)])
            nearest = ((z[episode.query][:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
            reached.append(np.mean(nearest == episode.query_y))
        right.append(np.mean(reached))
    assert nearest_mean_accuracy(z, part_episodes(y, 7)) == pytest.approx(np.mean(right))


def test_classes_of_few_examples_give_one_shot_alone():
    (episodes,) = part_episodes(np.repeat(np.arange(7), 4), 0)
    assert {(one.ways, len(one.support), len(one.query)) for one in episodes} == {(5, 5, 15)}
