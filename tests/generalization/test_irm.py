"""IRM's penalty against finite differences."""

import numpy as np
import tensorflow as tf

from zsltf.generalization.irm import scale_gradient, scale_penalty
from zsltf.training.headed_network import labelled_loss


def batch(count=12):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, 3)), np.arange(count) % 3, rng.uniform(0.5, 2, count)


def test_is_the_slope_of_the_loss_in_a_scale_of_the_scores_at_one():
    scores, y, weights = batch()
    step = 1e-5
    ends = [float(labelled_loss(tf.constant(w * scores), y, weights)) for w in (1 + step, 1 - step)]
    found = scale_gradient(tf.constant(scores), y, weights)
    np.testing.assert_allclose(found, (ends[0] - ends[1]) / (2 * step), rtol=1e-6)


def test_two_halves_multiply():
    scores, y, weights = batch()
    halves = [scale_gradient(tf.constant(scores[i::2]), y[i::2], weights[i::2]) for i in range(2)]
    np.testing.assert_allclose(scale_penalty(tf.constant(scores), y, weights), halves[0] * halves[1])
