"""Ranking losses against loops over classes, and what they have in common."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.losses.ranking import MaxHinge, RankedHinge, SumHinge

LOSSES = [SumHinge, MaxHinge, RankedHinge]


def sample(num_classes=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, num_classes, 20).astype(np.int32), rng.normal(size=(20, num_classes)).astype(np.float32)


def looped(kind, label, scores, margin):
    violations = [max(0.0, margin + s - scores[label]) for c, s in enumerate(scores) if c != label]
    rank = sum(v > 0 for v in violations)
    weight = sum(1 / i for i in range(1, rank + 1)) / max(rank, 1)
    return {SumHinge: sum(violations), MaxHinge: max(violations), RankedHinge: weight * sum(violations)}[kind]


@pytest.mark.parametrize("margin", [0.3, 2.0])
@pytest.mark.parametrize("kind", LOSSES)
def test_it_is_the_loop_over_classes(kind, margin):
    y, scores = sample()
    expected = [looped(kind, label, row, margin) for label, row in zip(y, scores, strict=True)]
    np.testing.assert_allclose(kind(margin).call(y, scores), expected, rtol=1e-5, atol=1e-6)
    assert float(kind(margin)(y, scores)) == pytest.approx(np.mean(expected), rel=1e-5)


def test_with_two_classes_all_are_the_same_loss_and_gradient():
    y, scores = sample(num_classes=2)
    results = []
    for kind in LOSSES:
        pred = tf.Variable(scores)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(kind().call(y, pred))
        results.append((loss.numpy(), tape.gradient(loss, pred).numpy()))
    for loss, gradient in results[1:]:
        assert loss == pytest.approx(results[0][0])
        np.testing.assert_allclose(gradient, results[0][1])


@pytest.mark.parametrize("kind", LOSSES)
def test_the_order_of_the_classes_and_a_common_offset_do_not_matter(kind):
    y, scores = sample()
    order = np.random.default_rng(1).permutation(6)
    expected = kind().call(y, scores)
    np.testing.assert_allclose(kind().call(order.argsort()[y].astype(np.int32), scores[:, order]), expected, rtol=1e-5)
    np.testing.assert_allclose(kind().call(y, scores + 7), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", LOSSES)
def test_it_trains_a_model_of_ones_own_and_is_saved_with_it(kind, tmp_path):
    y, x = sample()
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(6)])
    model.compile("adam", kind(0.5))
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.loss.margin == 0.5
    assert loaded.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))


def test_a_margin_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"MaxHinge\.margin: expected a number > 0, received 0"):
        MaxHinge(0.0)
