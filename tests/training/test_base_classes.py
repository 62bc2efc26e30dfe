"""Training on base classes against plain Keras."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from fewshot.networks import apart, dense_network

from zsltf.training.base_classes import train_base_classes
from zsltf.training.descent import Descent


def test_one_batch_an_epoch_is_keras_adam_on_the_penalised_cross_entropy(toy_features):
    base = apart(toy_features)[0]
    weights = np.random.default_rng(0).uniform(0.5, 2, len(base)).astype(np.float32)
    descent = Descent(learning_rate=1e-2, penalty=1e-2, epochs=4, drop_after=2, batch_size=len(base), seed=3)
    mine, other = dense_network(), dense_network()
    losses = train_base_classes(mine, descent, replace(base, sample_weight=weights))
    head = keras.layers.Dense(12, kernel_initializer=keras.initializers.GlorotUniform(3))
    model = keras.Sequential([*other.layers, head])
    optimizer, told = keras.optimizers.Adam(1e-2), []
    for epoch in range(4):
        optimizer.learning_rate = 1e-2 if epoch < 2 else 1e-3
        with tf.GradientTape() as tape:
            each = keras.losses.sparse_categorical_crossentropy(base.y, model(base.x), from_logits=True)
            told.append(tf.reduce_sum(weights * each) / weights.sum())
            kernels = [layer.kernel for layer in model.layers]
            loss = told[-1] + 1e-2 / 2 * tf.add_n([tf.reduce_sum(tf.square(kernel)) for kernel in kernels])
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
    np.testing.assert_allclose(losses, told, rtol=1e-4)
    for one, two in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-2, atol=1e-4)


def test_it_lowers_the_loss_and_gathers_statistics(toy_features):
    base = apart(toy_features)[0]
    network = keras.Sequential([keras.Input((32,)), keras.layers.BatchNormalization(momentum=0.5)])
    losses = train_base_classes(network, Descent(epochs=8, learning_rate=1e-2), base)
    assert losses[-1] < losses[0] - 0.3
    np.testing.assert_allclose(network.layers[0].moving_mean, base.x.mean(axis=0), atol=0.5)


def test_what_can_not_be_trained_is_refused(toy_features):
    base = apart(toy_features)[0]
    with pytest.raises(ValueError, match="base: expected two classes or more to tell apart, received 1"):
        train_base_classes(dense_network(), Descent(), base.select(base.y == 2))
    frozen = dense_network()
    frozen.trainable = False
    with pytest.raises(ValueError, match="base: expected a network with weights to train, received none"):
        train_base_classes(frozen, Descent(), base)
    with pytest.raises(ValueError, match=r"base classes: expected a finite loss, received (nan|inf) in epoch \d"):
        train_base_classes(dense_network(), Descent(learning_rate=1e30, epochs=3), base)
