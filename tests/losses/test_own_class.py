"""Labels that no loss trains on in silence."""

import keras
import numpy as np
import pytest

from zsltf.losses.contrastive import InfoNCE, SigLIP
from zsltf.losses.own_class import own_class
from zsltf.losses.own_score import OwnScore
from zsltf.losses.ranking import MaxHinge, RankedHinge, SumHinge

LOSSES = [InfoNCE, SigLIP, OwnScore, SumHinge, MaxHinge, RankedHinge]
SCORES = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


@pytest.mark.parametrize("labels", [[2, 0, 1, 1], [[2], [0], [1], [1]], [2.0, 0.0, 1.0, 1.0]])
def test_it_is_one_hot(labels):
    np.testing.assert_array_equal(own_class(np.array(labels), SCORES), np.eye(3)[[2, 0, 1, 1]])


@pytest.mark.parametrize("loss", LOSSES)
def test_one_hot_labels_are_refused(loss):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile("sgd", loss())
    with pytest.raises(ValueError, match=r"labels: expected shape \(B,\), received shape .*3\)\. Give class numbers"):
        model.fit(SCORES, np.eye(3)[[2, 0, 1, 1]], verbose=0)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_of_a_label_that_is_no_class_is_no_number(loss):
    losses = np.asarray(loss().call(np.array([2, 3, -1, 1]), SCORES))
    np.testing.assert_array_equal(np.isnan(losses), [False, True, True, False])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile("sgd", loss())
    assert np.isnan(model.fit(SCORES, np.array([2, 3, 1, 1]), verbose=0).history["loss"][0])
