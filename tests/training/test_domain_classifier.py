"""The domain classifier's loss, and the gradient that it hands down."""

import numpy as np
import pytest
import tensorflow as tf

from zsltf.training.descent import Descent
from zsltf.training.domain_classifier import DomainClassifier

RNG = np.random.default_rng(0)
SOURCE, TARGET = (RNG.normal(size=(5, 4)).astype(np.float32) for _ in range(2))


def scores(layer, x):
    for dense in layer.hidden:
        kernel, bias = dense.get_weights()
        x = np.maximum(x @ kernel + bias, 0)
    kernel, bias = layer.logit.get_weights()
    return (x @ kernel + bias)[:, 0]


def test_is_the_cross_entropy_of_the_domains():
    layer = DomainClassifier(4, (6,), Descent())
    losses = [np.log1p(np.exp(sign * scores(layer, x))) for sign, x in ((-1, SOURCE), (1, TARGET))]
    np.testing.assert_allclose(layer(SOURCE, TARGET, tf.constant(0.5)), np.mean(losses), rtol=1e-5)
    weights = RNG.uniform(0.5, 1.5, (2, 5)).astype(np.float32)
    found = layer(SOURCE, TARGET, tf.constant(0.5), tuple(weights))
    np.testing.assert_allclose(found, np.mean(weights * losses), rtol=1e-5)


@pytest.mark.parametrize("progress", [0.0, 0.2, 1.0])
def test_hands_down_the_reversed_gradient_in_its_annealed_strength(progress):
    layer, x = DomainClassifier(4, (6,), Descent(), steepness=5.0), tf.Variable(SOURCE)
    with tf.GradientTape(persistent=True) as tape:
        value = layer(x, TARGET, tf.constant(progress))
        plain = tf.reduce_mean(tf.nn.softplus(-layer.logit(layer.hidden[0](x))[:, 0])) / 2
    strength = 2 / (1 + np.exp(-5 * progress)) - 1
    np.testing.assert_allclose(tape.gradient(value, x), -strength * tape.gradient(plain, x), rtol=1e-4, atol=1e-7)


def test_other_seeds_start_elsewhere():
    one, other, again = (DomainClassifier(4, (6,), Descent(seed=seed)).hidden[0].kernel.numpy() for seed in (0, 1, 0))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01
