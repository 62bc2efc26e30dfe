"""The one trainer of gradient methods against plain Keras, and what it promises."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.embeds import linear
from zsltf.losses.ranking import RankedHinge
from zsltf.similarities.dot import Dot
from zsltf.training.compatibility import Parts, fit_epochs, fit_parts, grid_scores
from zsltf.training.descent import Descent, descents
from zsltf.zeroshot.class_normalized_mlp import ClassNormalizedMLP


@pytest.fixture
def problem(toy_features):
    features, classes = toy_features
    return features.select(classes.seen[features.y]), classes


def parts(width=32, attributes=8, loss=None):
    return Parts(
        embed=linear(np.zeros((width, attributes))),
        project=None,
        similarity=Dot(name="dot"),
        loss=loss or RankedHinge(),
    )


def test_one_batch_an_epoch_is_gradient_descent_by_keras(problem):
    train, classes = problem
    descent = Descent(learning_rate=1e-2, penalty=1e-2, epochs=7, batch_size=len(train))
    kernel = tf.Variable(np.zeros((32, 8), np.float32))
    optimizer = keras.optimizers.Adam(1e-2)
    for _ in range(7):
        with tf.GradientTape() as tape:
            scores = train.x @ kernel @ tf.constant(classes.semantics[:12].T)
            loss = tf.reduce_mean(RankedHinge().call(train.y, scores)) + 1e-2 / 2 * tf.reduce_sum(kernel**2)
        optimizer.apply_gradients([(tape.gradient(loss, kernel), kernel)])
    fitted = fit_parts(parts(), descent, train, classes)
    np.testing.assert_allclose(fitted.embed.get_weights()[0], kernel.numpy(), rtol=1e-3, atol=1e-5)


def test_every_image_comes_once_an_epoch_in_another_order(problem):
    train, classes = problem
    seen = []

    class Spy(keras.losses.Loss):
        def call(self, labels, scores):
            tf.py_function(lambda rows: seen.append(rows.numpy()), [labels], [])
            return tf.reduce_sum(scores, axis=1)

    fit_parts(parts(loss=Spy()), Descent(epochs=2, batch_size=50), train, classes)
    assert [len(batch) for batch in seen] == [50, 50, 20] * 2
    for epoch in (seen[:3], seen[3:]):
        np.testing.assert_array_equal(np.bincount(np.concatenate(epoch)), np.full(12, 10))
    assert not np.array_equal(seen[0], seen[3])


def test_an_image_of_weight_zero_is_not_there(problem):
    train, classes = problem
    rows = np.tile([1, 0], 60)  # every class keeps five of its ten
    descent = Descent(epochs=5, batch_size=120)
    weighted = fit_parts(parts(), descent, replace(train, sample_weight=rows.astype(np.float32)), classes)
    kept = fit_parts(parts(), descent, train.select(rows == 1), classes)
    np.testing.assert_allclose(weighted.embed.get_weights()[0], kept.embed.get_weights()[0], rtol=1e-3, atol=1e-5)


def test_a_seed_gives_the_same_weights_and_another_seed_others(problem):
    train, classes = problem

    def weights(seed):
        return fit_parts(parts(), Descent(epochs=2, seed=seed), train, classes).embed.get_weights()[0]

    np.testing.assert_array_equal(weights(3), weights(3))
    assert np.abs(weights(3) - weights(4)).max() > 0


def test_the_grid_is_every_training_by_itself_and_every_epoch_a_shorter_one(problem):
    train, classes = problem
    range_ = descents((1e-3, 1e-1), (0.0, 1e-2), (1, 3))
    found = dict(grid_scores(parts(), range_, train, classes, train.x))
    assert tuple(found) == range_
    for descent, scores in found.items():
        np.testing.assert_allclose(
            scores, fit_parts(parts(), descent, train, classes).score(train.x), rtol=1e-4, atol=1e-5
        )
    epochs = list(fit_epochs(parts(), range_[1], train, classes))
    assert len(epochs) == 3
    np.testing.assert_allclose(epochs[0].score(train.x), found[range_[0]], rtol=1e-4, atol=1e-5)


def test_features_that_do_not_fit_into_memory_come_in_chunks(problem, monkeypatch):
    train, classes = problem
    monkeypatch.setattr("zsltf.training.compatibility._ROWS", 32 * 60)
    descent = Descent(epochs=3, batch_size=40)
    chunked = fit_parts(parts(), descent, train, classes).embed.get_weights()[0]
    monkeypatch.undo()
    np.testing.assert_allclose(
        chunked, fit_parts(parts(), descent, train, classes).embed.get_weights()[0], rtol=1e-4, atol=1e-6
    )


def test_the_rate_drops_where_it_says(problem):
    train, classes = problem
    short, long, dropped = (
        fit_parts(parts(), Descent(epochs=e, drop_after=d, learning_rate=0.1), train, classes).embed.get_weights()[0]
        for e, d in ((3, None), (6, None), (6, 3))
    )
    assert 0 < np.abs(dropped - short).max() < np.abs(long - short).max() / 2


def test_running_statistics_are_trained_and_kept(problem, tmp_path):
    train, classes = problem
    fitted = ClassNormalizedMLP(hidden=16, descent=Descent(epochs=3)).fit(train, classes)
    mean = next(w for w in fitted.project.weights if w.path.endswith("mean"))
    assert np.abs(mean.numpy()).max() > 0


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("learning_rate", 0.0, "a number > 0, received 0"),
        ("penalty", -1.0, "a number >= 0, received -1"),
        ("epochs", 0, "a number > 0, received 0"),
        ("seed", -1, "0 to 4294967295, received -1"),
    ],
)
def test_settings_that_train_nothing_are_refused(field, value, expected):
    with pytest.raises(ValueError, match=rf"Descent\.{field}: expected {expected}"):
        Descent(**{field: value})
