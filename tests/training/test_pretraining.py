"""Pretraining: collapse is told, a loss that breaks is, and nothing else is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.data.unlabelled import Unlabelled
from zsltf.embeds import linear
from zsltf.training.descent import Descent
from zsltf.training.encoders import frame, residual_encoder
from zsltf.training.pretraining import check_collapse, effective_rank, pretrainable, train_encoder


def examples(count=60, width=4):
    return Unlabelled(x=np.random.default_rng(0).normal(size=(count, width)).astype(np.float32))


def test_effective_rank_counts_equal_directions():
    x = np.random.default_rng(0).normal(size=(5000, 6))
    assert effective_rank(x[:, :3] @ np.eye(3, 6) + 5) == pytest.approx(3, rel=0.01)
    assert effective_rank(np.outer(x[:, 0], [1, 2, 3])) == pytest.approx(1)


def test_embeddings_that_are_all_one_are_refused():
    constant = linear(np.zeros((4, 3), np.float32), np.ones(3, np.float32))
    with pytest.raises(
        ValueError, match=r"M, embeddings: expected different ones for different examples, received the"
    ):
        check_collapse("M", constant, examples())


def test_embeddings_on_a_line_are_warned_of():
    line = linear(np.outer([1, 2, 3, 4], [1, 1, 2]).astype(np.float32))
    with pytest.warns(UserWarning, match=r"M: the embeddings vary along 1.00 directions of 3 \(collapse\). Train with"):
        check_collapse("M", line, examples())


def test_embeddings_that_are_no_numbers_are_refused():
    broken = linear(np.full((4, 3), np.inf, np.float32))
    with pytest.raises(ValueError, match="M, embeddings: expected finite numbers, received"):
        check_collapse("M", broken, examples())


def test_a_loss_that_breaks_names_the_step_size():
    with pytest.raises(
        ValueError, match=r"expected a finite loss, received nan in the first epoch. Lower learning_rate"
    ):
        train_encoder(
            "M",
            linear(np.eye(4, dtype=np.float32)),
            [],
            lambda x, _: tf.reduce_mean(x) * np.nan,
            Descent(epochs=2, learning_rate=0.5),
            examples(),
        )


def test_the_seed_of_a_batch_is_another_at_every_step_and_the_same_again():
    def seeds(seed):
        found = tf.Variable(np.zeros((6, 2), np.int32))
        count = tf.Variable(0)

        def loss(x, drawn):
            found.scatter_nd_update(count[None, None], drawn[None])
            count.assign_add(1)
            return tf.reduce_mean(encoder(x) ** 2)

        encoder = linear(np.eye(4, dtype=np.float32))
        train_encoder("M", encoder, [], loss, Descent(epochs=2, batch_size=20, seed=seed), examples())
        return found.numpy()

    first = seeds(5)
    assert len({tuple(row) for row in first}) == 6
    np.testing.assert_array_equal(first, seeds(5))
    assert not np.array_equal(first, seeds(6))


def test_images_without_a_network_are_refused():
    images = Unlabelled(x=np.zeros((3, 4, 4, 3), np.float32))
    with pytest.raises(ValueError, match=r"M without a network: expected vectors \(M, D\), received images \(3, 4, 4"):
        pretrainable("M", images, None, lambda _: None)


def test_a_network_that_gives_maps_is_refused():
    maps = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(
        ValueError, match=r"M, network: expected embeddings \(B, K\), received .*Pool its maps at the end"
    ):
        pretrainable("M", Unlabelled(x=np.zeros((3, 4, 4, 3), np.float32)), maps, lambda _: None)


def test_the_residual_encoder_begins_as_the_framed_examples():
    x = 3 * examples().x + [1, 2, 3, 4]
    x = x.astype(np.float32)
    found = np.asarray(residual_encoder(x, 5, seed=0)(x))
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    assert found.var(axis=0).mean() == pytest.approx(1, rel=1e-4)
    mean, scale = frame(x)
    np.testing.assert_allclose(found, (x - mean) * scale, atol=1e-5)
