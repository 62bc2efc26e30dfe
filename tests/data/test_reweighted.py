"""Reweighted sources: scaled, warned about, refused."""

import dataclasses

import numpy as np
import pytest

from zsltf.data.features import Features
from zsltf.data.reweighted import reweighted

SOURCE = Features(x=np.zeros((100, 2), np.float32), y=np.zeros(100, int))


def test_the_mean_weight_is_one_and_own_weights_multiply():
    own = dataclasses.replace(SOURCE, sample_weight=np.linspace(1, 2, 100).astype(np.float32))
    ratios = np.linspace(3, 5, 100)
    expected = ratios * own.weights
    np.testing.assert_allclose(reweighted("KMM", own, ratios).weights, expected / expected.mean(), rtol=1e-6)


def test_weights_that_are_worth_few_examples_are_warned_about():
    ratios = np.full(100, 1e-9)
    ratios[:3] = 1
    with pytest.warns(UserWarning, match=r"KMM: 100 examples are worth 3.0 under their weights. The domains hardly"):
        reweighted("KMM", SOURCE, ratios)


def test_weights_on_one_example_are_refused():
    with pytest.raises(ValueError, match="KMM, weights: expected weight on several examples, received on 1 of 100"):
        reweighted("KMM", SOURCE, np.eye(100)[0])


def test_infinite_weights_are_refused():
    with pytest.raises(ValueError, match="KMM, weights: expected finite numbers, received inf at"):
        reweighted("KMM", SOURCE, np.full(100, np.inf))
