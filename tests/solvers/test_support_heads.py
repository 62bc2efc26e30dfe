"""Heads on supports against the same steps taken on class vectors, scikit-learn and finite differences."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, Ridge

from zsltf.solvers.support_heads import Steps, balanced, cosine_head, products, ridge_head, softmax_head

WAYS = 3


@pytest.fixture
def support():
    """Two episodes: 8 examples of 5 features, unequally many a class."""
    rng = np.random.default_rng(0)
    y = np.array([[0, 0, 0, 0, 1, 1, 2, 2], [2, 1, 0, 0, 1, 2, 2, 0]])
    x = rng.normal(size=(2, 8, 5)) + np.eye(5)[y]
    return (x / np.sqrt((x**2).sum(axis=2, keepdims=True))).astype(np.float32), y


def test_every_class_counts_alike(support):
    _, y = support
    targets, weights = balanced(y, WAYS)
    np.testing.assert_array_equal(targets, np.eye(3)[y])
    np.testing.assert_allclose(np.einsum("es,esw->ew", weights, targets), np.full((2, 3), 1 / 3), rtol=1e-6)
    counts = np.stack([np.bincount(row)[row] for row in y])
    np.testing.assert_allclose(weights, 1 / (3 * counts), rtol=1e-6)


def test_weights_share_out_their_class(support):
    _, y = support
    given = np.arange(1.0, 9.0, dtype=np.float32)[None].repeat(2, axis=0)
    _, weights = balanced(y, WAYS, given)
    np.testing.assert_allclose(np.asarray(weights)[0, :4], np.arange(1, 5) / 10 / 3, rtol=1e-6)
    assert np.asarray(balanced(y, WAYS, np.where(y == 0, np.arange(8) % 2, 1.0).astype(np.float32))[1]).min() == 0


def test_softmax_head_takes_the_steps_of_gradient_descent(support):
    x, y = support
    steps = Steps(count=7, learning_rate=0.8, momentum=0.6, decay=0.05)
    targets, weights = balanced(y, WAYS)
    coefficients, bias = softmax_head(products(x, x), targets, weights, steps)
    for e in range(2):
        w, b, speeds = np.zeros((5, 3)), np.zeros(3), [np.zeros((5, 3)), np.zeros(3)]
        for _ in range(7):
            errors = np.asarray(weights)[e, :, None] * (softmax(x[e] @ w + b, axis=1) - np.eye(3)[y[e]])
            speeds = [0.6 * speeds[0] + x[e].T @ errors + 0.05 * w, 0.6 * speeds[1] + errors.sum(axis=0)]
            w, b = w - 0.8 * speeds[0], b - 0.8 * speeds[1]
        np.testing.assert_allclose(x[e].T @ np.asarray(coefficients)[e], w, atol=1e-5)
        np.testing.assert_allclose(np.asarray(bias)[e], b, atol=1e-5)


def test_softmax_head_ends_at_logistic_regression(support):
    x, y = support[0][:1], support[1][:1]
    targets, weights = balanced(y, WAYS)
    head = softmax_head(products(x, x), targets, weights, Steps(count=4000, decay=0.01))
    model = LogisticRegression(C=100, tol=1e-10, max_iter=10_000)
    model.fit(x[0].astype(float), y[0], sample_weight=np.asarray(weights)[0])
    w, b = x[0].T @ np.asarray(head[0])[0], np.asarray(head[1])[0]
    np.testing.assert_allclose(w - w.mean(axis=1, keepdims=True), model.coef_.T, atol=1e-3)
    np.testing.assert_allclose(b - b.mean(), model.intercept_, atol=1e-3)


def test_cosine_head_takes_the_steps_of_gradient_descent(support):
    x, y = support
    steps = Steps(count=5, learning_rate=0.1, momentum=0.5, decay=0.02)
    targets, weights = balanced(y, WAYS)
    found = np.einsum("esw,esd->ewd", cosine_head(products(x, x), targets, weights, 4.0, steps), x)
    for e in range(2):
        w = tf.constant(np.stack([x[e][y[e] == c].mean(axis=0) for c in range(3)]), tf.float64)
        speed = tf.zeros_like(w)
        for _ in range(5):
            with tf.GradientTape() as tape:
                tape.watch(w)
                scores = 4.0 * x[e].astype(np.float64) @ tf.transpose(tf.math.l2_normalize(w, axis=1))
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y[e], scores)
                loss = tf.reduce_sum(np.asarray(weights, np.float64)[e] * losses) + 0.01 * tf.reduce_sum(w**2)
            speed = 0.5 * speed + tape.gradient(loss, w)
            w -= 0.1 * speed
        np.testing.assert_allclose(found[e], w, atol=1e-5)


def test_ridge_head_is_the_dual_solution_and_scikit_learns(support):
    x, y = support[0].astype(np.float64), np.array([[0, 0, 1, 1, 2, 2, 0, 1]] * 2)
    targets = np.eye(3)[y]
    even = np.full((2, 8), 1 / 8)
    found = np.einsum("esw,esd->edw", ridge_head(products(x, x), targets, even, 0.3), x)
    for e in range(2):
        dual = x[e].T @ np.linalg.inv(x[e] @ x[e].T + 0.3 * np.eye(8)) @ targets[e]
        np.testing.assert_allclose(found[e], dual, rtol=1e-8)
        model = Ridge(alpha=0.3, fit_intercept=False, solver="cholesky").fit(x[e], targets[e])
        np.testing.assert_allclose(found[e], model.coef_.T, rtol=1e-8)


def test_ridge_head_weighs_the_squares(support):
    x, y = support[0].astype(np.float64), support[1]
    targets, weights = (np.asarray(part, np.float64) for part in balanced(y, WAYS))
    found = np.einsum("esw,esd->edw", ridge_head(products(x, x), targets, weights, 0.3), x)
    model = Ridge(alpha=0.3, fit_intercept=False, solver="cholesky").fit(x[0], targets[0], sample_weight=8 * weights[0])
    np.testing.assert_allclose(found[0], model.coef_.T, rtol=1e-6)


def test_an_example_of_weight_0_is_as_if_left_out(support):
    x, y = support[0].astype(np.float64), support[1]
    weights = np.ones((len(x), 8))
    weights[:, :2] = 0
    targets, shares = (np.asarray(part, np.float64) for part in balanced(y, WAYS, weights))
    found = np.einsum("esw,esd->edw", ridge_head(products(x, x), targets, shares, 0.3), x)
    rest, targets = x[:, 2:], targets[:, 2:]
    left = np.einsum("esw,esd->edw", ridge_head(products(rest, rest), targets, shares[:, 2:], 0.3), rest)
    np.testing.assert_allclose(found, left, rtol=1e-6)


def test_ridge_head_can_be_learned_through(support):
    x, y = support[0].astype(np.float64), support[1]
    targets, weights = (np.asarray(part, np.float64) for part in balanced(y, WAYS))

    def squared(ridge):
        return tf.reduce_sum(ridge_head(products(x, x), targets, weights, ridge) ** 2)

    ridge = tf.constant(0.3, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(ridge)
        value = squared(ridge)
    expected = (squared(ridge + 1e-5) - squared(ridge - 1e-5)) / 2e-5
    np.testing.assert_allclose(tape.gradient(value, ridge), expected, rtol=1e-6)


def test_settings_are_checked():
    with pytest.raises(ValueError, match=r"Steps\.count: expected a number > 0, received 0"):
        Steps(count=0)
    with pytest.raises(ValueError, match=r"Steps\.momentum: expected a share in \[0, 1\), received 1"):
        Steps(momentum=1.0)
    with pytest.raises(ValueError, match=r"Steps\.decay: expected a number >= 0, received -1"):
        Steps(decay=-1.0)
