"""Tip-Adapter against its formula, image by image; text in the features' space, and in another."""

import dataclasses

import numpy as np
import pytest
from scipy.special import softmax

from zsltf.data.features import Features
from zsltf.fewshot.tip_adapter import TipAdapter
from zsltf.solvers.support_caches import KeySteps


@pytest.fixture
def support(toy_features):
    """Of five classes 4, 3, 2, 2 and 1 examples."""
    features, classes = toy_features
    rows = [10 * label + i for label, count in enumerate((4, 3, 2, 2, 1)) for i in range(count)]
    return features.select(rows), features.select(features.y < 5), classes.select(np.arange(5))


def unit(x):
    return x / np.sqrt((x**2).sum(axis=-1, keepdims=True))


def formula(train, test, w, scale=100.0, alpha=1.0, beta=5.5):
    v, keys, counts = unit(test.x.astype(np.float64)), unit(train.x.astype(np.float64)), np.bincount(train.y)
    scores = scale * v @ w.T
    for n, image in enumerate(v):
        for key, label in zip(keys, train.y, strict=True):
            scores[n, label] += alpha * np.exp(-beta * (1 - image @ key)) * counts.mean() / counts[label]
    return scores


def test_scores_are_the_papers(support):
    train, test, classes = support
    w = unit(np.stack([unit(train.x[train.y == c].astype(np.float64)).mean(axis=0) for c in range(5)]))
    scores = TipAdapter(scale=3.0, alpha=2.0, beta=1.5).fit(train, classes).score(test.x)
    np.testing.assert_allclose(scores, formula(train, test, w, 3.0, 2.0, 1.5), atol=1e-4)


def test_text_vectors_of_the_features_space_are_class_vectors_and_open_the_door(support):
    train, test, classes = support
    text = np.random.default_rng(0).normal(size=(6, 32)).astype(np.float32)
    rows = {"semantics": text[:5], "columns": tuple(f"t{i}" for i in range(32)), "blocks": ()}
    table = dataclasses.replace(classes, **rows)
    fitted = TipAdapter(text=True).fit(train, table)
    np.testing.assert_allclose(fitted.score(test.x), formula(train, test, unit(text[:5])), atol=1e-3)
    new = dataclasses.replace(table.select([0]), names=("new",), semantics=text[5:])
    more = fitted.with_classes(new).score(test.x)
    np.testing.assert_allclose(more[:, :5], fitted.score(test.x), atol=1e-3)
    np.testing.assert_allclose(more[:, 5], 100 * unit(test.x) @ unit(text[5]), atol=1e-3)


def test_text_of_another_width_is_refused(support):
    train, _, classes = support
    with pytest.raises(ValueError, match="expected 32 columns, as many as the features, received 8 columns"):
        TipAdapter(text=True).fit(train, classes)
    with pytest.raises(ValueError, match="expected classes with text vectors, received episodes, which have none"):
        TipAdapter(text=True).logits(train.x[None], train.y[None], train.x[None], 5)


def test_trained_keys_fit_the_support_better(support):
    train, _, classes = support

    def probability(count):
        method = TipAdapter(scale=1.0, steps=KeySteps(count=count, learning_rate=0.01))
        fitted = method.fit(train, classes)
        together = np.asarray(method.logits(train.x[None], train.y[None], train.x[None], 5))[0]
        np.testing.assert_allclose(fitted.score(train.x), together, atol=1e-4)
        return softmax(fitted.score(train.x), axis=1)[np.arange(len(train)), train.y].mean()

    assert probability(20) > probability(0) + 0.05


def test_maps_are_refused_before_the_cache_is_filled(support):
    _, _, classes = support
    maps = Features(x=np.zeros((5, 2, 2, 3), np.float32), y=np.arange(5))
    with pytest.raises(ValueError, match=r"TipAdapter: expected features \(N, D\), received maps"):
        TipAdapter().fit(maps, classes)
