"""SimpleShot against distances of unit vectors computed one by one."""

import dataclasses

import keras
import numpy as np
import pytest

from zsltf.fewshot.simple_shot import SimpleShot


@pytest.fixture
def sets(toy_features):
    features, classes = toy_features
    new = features.select(~classes.seen[features.y])
    return features.select(classes.seen[features.y]), new.with_y(new.y - 12), classes.select(np.arange(12, 16))


def unit(x):
    return x / np.sqrt((x**2).sum(axis=1, keepdims=True))


def expected(train, classes, mean):
    a = unit(train.x.astype(np.float64) - mean)
    means = np.stack([a[train.y == c].mean(axis=0) for c in range(len(classes))])
    return -((a[:, None] - means[None]) ** 2).sum(axis=2)


def test_scores_are_distances_among_centred_unit_vectors(sets):
    base, new, classes = sets
    scores = SimpleShot().learn(base).fit(new, classes).score(new.x)
    np.testing.assert_allclose(scores, expected(new, classes, base.x.mean(axis=0)), atol=1e-5)


def test_without_centring_base_does_not_matter(sets):
    base, new, classes = sets
    for learner in (SimpleShot(centre=False).learn(base), SimpleShot().without_base()):
        np.testing.assert_allclose(learner.fit(new, classes).score(new.x), expected(new, classes, 0), atol=1e-5)


def test_weights_of_base_count(sets):
    base, new, classes = sets
    weight = np.arange(len(base), dtype=np.float32)
    learner = SimpleShot().learn(dataclasses.replace(base, sample_weight=weight))
    mean = weight @ base.x / weight.sum()
    np.testing.assert_allclose(learner.fit(new, classes).score(new.x), expected(new, classes, mean), atol=1e-5)


def test_a_network_goes_first(sets):
    base, new, classes = sets
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((32,)), keras.layers.Dense(6)])
    learner = SimpleShot().learn(base, network=network)
    a = new.with_x(np.asarray(network(new.x)))
    scores = learner.fit(new, classes).score(new.x)
    np.testing.assert_allclose(scores, expected(a, classes, np.asarray(network(base.x)).mean(axis=0)), atol=1e-5)
    logits = learner.logits(new.x[None], new.y[None], new.x[None], 4)
    np.testing.assert_allclose(logits[0], scores, atol=1e-5)


def test_a_new_class_by_photos_is_what_fitting_it_gives(sets):
    base, new, classes = sets
    learner = SimpleShot().learn(base)
    some = new.select(new.y < 3)
    added = learner.fit(some, classes.select(np.arange(3))).with_photos("more", new.x[new.y == 3])
    np.testing.assert_allclose(added.score(new.x), learner.fit(new, classes).score(new.x), atol=1e-5)


def test_maps_without_a_network_are_refused(sets):
    maps = sets[0].with_x(sets[0].x.reshape(-1, 2, 4, 4))
    with pytest.raises(ValueError, match=r"SimpleShot: expected features \(N, D\), received maps"):
        SimpleShot().learn(maps)
