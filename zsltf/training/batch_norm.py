"""BatchNormalization in transfer: find it, freeze it, measure its statistics anew."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.checks import fail

__all__ = ["batch_norm_layers", "freeze", "mixed_batches", "recalibrate"]


def batch_norm_layers(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Every BatchNormalization of a model, those of nested models and of composite layers included."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]


def freeze(layers: Iterable[keras.layers.BatchNormalization]) -> None:
    """Keep weights and statistics still; call it before compile.

    Not training but `trainable` is what does it: a model called with training=False updates its statistics in fit all
    the same (keras#20285).
    """
    for layer in layers:
        layer.trainable = False


def mixed_batches(x: Float[np.ndarray, "N *D"], batch_size: int) -> Iterator[Float[np.ndarray, "B *D"]]:
    """All examples in batches that differ by one in size, in an order of chance that is always the same.

    Examples often come class by class, and a batch of one class varies less than all of them.
    """
    order = np.random.default_rng(0).permutation(len(x))
    return (x[np.sort(rows)] for rows in np.array_split(order, -(-len(x) // batch_size)))


def recalibrate(model: keras.Model, batches: Iterable[Any], layers: Sequence[keras.layers.BatchNormalization]) -> None:
    """Replace the statistics of some layers by the mean of their batch statistics over some batches.

    These layers normalise by the batch meanwhile, as in training; everything else runs as in inference, dropout and
    other normalisation included. Weights, `trainable` and momenta end as they were.

    Source: the population statistics of Ioffe & Szegedy, "Batch normalization", ICML 2015, but for the factor N/(N-1).

    Args:
        model: built; called with x.
        batches: x, (x, y) or (x, y, weights); a smaller batch counts less.
        layers: whose moving mean and variance to replace.

    Raises:
        ValueError: if there is no batch, or a layer uses batch renormalisation.
    """
    renormalised = [layer.name for layer in layers if layer.renorm]
    if renormalised:
        fail(f"layer '{renormalised[0]}'", "plain batch normalisation", "renorm=True", "Leave this layer out.")
    moving = [variable for layer in layers for variable in (layer.moving_mean, layer.moving_variance)]
    totals, count = [np.zeros(variable.shape) for variable in moving], 0  # float64
    with _normalising_by_the_batch(layers):
        forward = tf.function(partial(model, training=False), reduce_retracing=True, autograph=False)
        for batch in batches:
            x, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
            forward(x)
            size = len(keras.tree.flatten(x)[0])
            found = map(keras.ops.convert_to_numpy, moving)
            totals = [total + size * value for total, value in zip(totals, found, strict=True)]
            count += size
    if not count:
        fail("recalibrate.batches", "one batch or more", "none", "Give training images.")
    for variable, total in zip(moving, totals, strict=True):
        variable.assign(total / count)


@contextmanager
def _normalising_by_the_batch(layers: Sequence[keras.layers.BatchNormalization]) -> Iterator[None]:
    """Call these layers with training=True whatever the model says, and let them keep the last batch's statistics."""
    before = [(layer, layer.trainable, layer.momentum, layer.get_weights()) for layer in layers]
    try:
        for layer in layers:
            layer.trainable, layer.momentum = True, 0.0
            layer.call = _in_training(layer.call)
        yield
    finally:
        for layer, trainable, momentum, weights in before:
            layer.trainable, layer.momentum = trainable, momentum
            layer.set_weights(weights)
            vars(layer).pop("call", None)


def _in_training(call: Any) -> Any:
    return lambda inputs, training=None, mask=None: call(inputs, training=True, mask=mask)
