"""The gradient through gradient steps, on problems where it is known."""

import numpy as np
import pytest
import tensorflow as tf

from zsltf.training.inner_loop import InnerLoop, descended

RNG = np.random.default_rng(0)
ROOT = RNG.normal(size=(4, 4))
A, B, W = ROOT @ ROOT.T, RNG.normal(size=(4, 1)), RNG.normal(size=(4, 1))


def quadratic(w):
    """.5 w'Aw - b'w, whose gradient is Aw - b."""
    return tf.reduce_sum(w * (0.5 * (A @ w) - B))


def meta_gradient(steps=1, step_size=0.05, first_order=False):
    w = tf.constant(W)
    inner = InnerLoop(steps=steps, step_size=step_size, first_order=first_order)
    with tf.GradientTape() as tape:
        tape.watch(w)
        (adapted,) = descended(lambda _, now: quadratic(now[0]), [w], inner)
        loss = quadratic(adapted)
    return adapted.numpy(), tape.gradient(loss, w).numpy()


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_meta_gradient_on_a_quadratic_is_exact(steps):
    """w' = (I - aA) w + a b at each step, so the gradient is (I - aA)^steps (A w' - b)."""
    contraction = np.eye(4) - 0.05 * A
    expected = W
    for _ in range(steps):
        expected = contraction @ expected + 0.05 * B
    adapted, gradient = meta_gradient(steps)
    np.testing.assert_allclose(adapted, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, np.linalg.matrix_power(contraction, steps) @ (A @ expected - B), rtol=1e-12)


def test_the_first_order_drops_the_factor():
    adapted, gradient = meta_gradient(3, first_order=True)
    np.testing.assert_allclose(gradient, A @ adapted - B, rtol=1e-12)
    assert np.abs(gradient - meta_gradient(3)[1]).max() > 0.1


def test_first_and_second_order_are_one_where_the_step_is_zero():
    both = [meta_gradient(2, step_size=0.0, first_order=order) for order in (False, True)]
    np.testing.assert_array_equal(both[0][1], both[1][1])
    np.testing.assert_allclose(both[0][1], A @ W - B, rtol=1e-12)


def test_episodes_with_weights_of_their_own_take_their_own_steps():
    w = tf.constant(np.stack([W, 2 * W, -W]))
    inner = InnerLoop(steps=3, step_size=0.05)
    (together,) = descended(lambda _, now: quadratic(now[0]), [w], inner)
    for one, start in zip(together, w, strict=True):
        (alone,) = descended(lambda _, now: quadratic(now[0]), [start], inner)
        np.testing.assert_allclose(one, alone, rtol=1e-12)


def test_a_factor_makes_the_steps_of_its_weight_larger():
    w = [tf.constant(W), tf.constant(W)]
    inner = InnerLoop(steps=2, step_size=0.05)
    both = descended(lambda _, now: quadratic(now[0]) + quadratic(now[1]), w, inner, (1.0, 0.5))
    for found, size in zip(both, (0.05, 0.025), strict=True):
        (alone,) = descended(lambda _, now: quadratic(now[0]), w[:1], InnerLoop(steps=2, step_size=size))
        np.testing.assert_allclose(found, alone, rtol=1e-12)


def test_the_loss_is_told_the_step():
    loss = lambda step, now: tf.cast(step + 1, tf.float64) * tf.reduce_sum(now[0])  # noqa: E731
    (found,) = descended(loss, [tf.zeros(2, tf.float64)], InnerLoop(steps=3, step_size=1.0))
    np.testing.assert_array_equal(found, [-6.0, -6.0])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"steps": 0}, r"InnerLoop\.steps: expected a number > 0, received 0"),
        ({"step_size": -0.1}, r"InnerLoop\.step_size: expected a number >= 0, received -0\.1"),
        ({"step_size": np.inf}, r"InnerLoop\.step_size: expected a number >= 0, received inf"),
    ],
)
def test_numbers_out_of_range_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        InnerLoop(**{"steps": 1, "step_size": 0.1, **changes})
