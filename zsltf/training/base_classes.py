"""Ordinary classification of all base classes: the transfer that few-shot learning begins with."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zsltf.checks import fail
from zsltf.data.features import Features
from zsltf.training.descent import Descent
from zsltf.training.fused_adam import FusedAdam
from zsltf.training.minibatches import for_each_batch, padded_batches

__all__ = ["train_base_classes"]


def train_base_classes(network: keras.Model, descent: Descent, base: Features) -> list[float]:
    """Train the network under a softmax on all base classes, which is then dropped; return each epoch's mean loss.

    BatchNormalization gathers the statistics that it will have from here on.

    Source: Chen, Liu, Kira, Wang & Huang, "A closer look at few-shot classification", ICLR 2019.

    Args:
        network: from examples (B, ...) to embeddings (B, K); it is changed.
        descent: rate, penalty, epochs, batches and seed.
        base: examples of two classes or more.

    Raises:
        ValueError: if there is one class only, nothing to train, or a loss that is not finite.
    """
    base = base.counted()
    labels, y = np.unique(base.y, return_inverse=True)
    if len(labels) < 2:
        fail("base", "two classes or more to tell apart", str(len(labels)), "Add another.")
    if not network.trainable_variables:
        fail("base", "a network with weights to train", "none", "Give a network, and set it trainable.")
    head = keras.layers.Dense(len(labels), kernel_initializer=keras.initializers.GlorotUniform(descent.seed))
    head.build(network.output_shape)
    epoch = _compiled(network, head, descent)
    data = tuple(map(tf.convert_to_tensor, (base.x, y.astype(np.int32), base.weights.astype(np.float32))))
    rng, reached = np.random.default_rng(descent.seed), []
    for number in range(descent.epochs):
        rate = descent.learning_rate * (0.1 if descent.drop_after is not None and number >= descent.drop_after else 1.0)
        batches = padded_batches(rng.permutation(len(base)), descent.batch_size)
        reached.append(float(epoch(*data, tf.constant(batches), tf.constant(rate, tf.float32))))
        if not np.isfinite(reached[-1]):
            fail("base classes", "a finite loss", f"{reached[-1]:g} in epoch {number + 1}", "Lower the learning rate.")
    return reached


def _compiled(network: keras.Model, head: keras.layers.Dense, descent: Descent) -> Any:
    variables = [*network.trainable_variables, *head.trainable_variables]
    optimizer = FusedAdam()
    optimizer.build(variables)
    total = tf.Variable(0.0, trainable=False)

    def step(x: Any, y: Any, weights: Any) -> None:
        with tf.GradientTape() as tape:
            scores = head(network(tf.cast(x, tf.float32), training=True))
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)
            loss = tf.math.divide_no_nan(tf.reduce_sum(weights * losses), tf.reduce_sum(weights))
            squares = tf.add_n([tf.nn.l2_loss(variable) for variable in variables if len(variable.shape) > 1])
            penalised = loss + descent.penalty * squares
        optimizer.apply(tape.gradient(penalised, variables))
        total.assign_add(loss)

    def epoch(x: Any, y: Any, weights: Any, batches: Any, rate: Any) -> Any:
        optimizer.learning_rate = rate
        total.assign(0.0)
        for_each_batch(batches, lambda rows: step(*(tf.gather(part, rows) for part in (x, y, weights))))
        return total / tf.cast(tf.shape(batches)[0], tf.float32)

    return tf.function(epoch, autograph=False, reduce_retracing=True)
