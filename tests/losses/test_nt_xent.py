"""NT-Xent against a loop in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from zsltf.losses.nt_xent import nt_xent


def views(seed, count=5, width=4):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, width)).astype(np.float32) for _ in range(2))


def test_is_the_published_formula():
    one, other = views(0)
    z = np.concatenate([one, other]).astype(np.float64)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    losses = []
    for i in range(10):
        partner = (i + 5) % 10
        scores = {j: np.exp(z[i] @ z[j] / 0.3) for j in range(10) if j != i}
        losses.append(-np.log(scores[partner] / sum(scores.values())))
    assert float(nt_xent(one, other, 0.3)) == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize("count", [2, 7, 64])
def test_equal_embeddings_give_the_loss_of_guessing(count):
    same = np.tile([[0.3, -2.0, 1.0]], (count, 1)).astype(np.float32)
    assert float(nt_xent(same, same, 0.5)) == pytest.approx(np.log(2 * count - 1), rel=1e-5)


def test_which_views_come_first_and_how_long_they_are_does_not_matter():
    one, other = views(1)
    expected = float(nt_xent(one, other, 0.5))
    assert float(nt_xent(other, one, 0.5)) == pytest.approx(expected, rel=1e-5)
    assert float(nt_xent(7 * one, 0.1 * other, 0.5)) == pytest.approx(expected, rel=1e-5)


def test_the_gradient_draws_partners_together_and_strangers_apart():
    one, other = (tf.Variable(x) for x in views(2))
    with tf.GradientTape() as tape:
        loss = nt_xent(one, other, 0.5)
    step = [x - 0.5 * g for x, g in zip((one, other), tape.gradient(loss, [one, other]), strict=True)]
    assert nt_xent(*step, 0.5) < loss
