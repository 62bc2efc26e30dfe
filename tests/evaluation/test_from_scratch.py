"""Training from scratch, against gradient descent by hand."""

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import log_softmax
from training.problems import CLASSES, examples

from zsltf.backbones.keras_model import keras_model
from zsltf.data.augment import Augmentation
from zsltf.evaluation.from_scratch import FromScratch
from zsltf.training.network import Network
from zsltf.training.seeds import seed_everything


def backbone():
    keras.utils.set_random_seed(0)
    images = keras.Input((8, 8, 3))
    return keras_model(
        keras.Model(images, keras.layers.Conv2D(4, 3, name="body")(images), name="one"), scale=(255.0,) * 3
    )


def test_two_steps_are_those_of_momentum_at_a_constant_rate():
    """One batch an epoch, two epochs: v = 0.9 v - rate g, w = w + v."""
    plain = FromScratch(epochs=2, batch_size=12, learning_rate=0.1, augmentation=Augmentation())
    train = examples(12, size=8)
    trained = plain.method(5).train(backbone(), train, CLASSES).network.model.get_weights()

    start = backbone()
    seed_everything(5)  # as the method does before it makes the head
    weights = Network.build(start, {"class": plain.method(5).head}, CLASSES).model.get_weights()
    weights = [weight.astype(np.float64) for weight in weights]
    velocity = [0.0] * len(weights)
    for _ in range(2):
        gradients = central_differences(lambda values: loss(train.images, *values), weights)
        velocity = [0.9 * v - 0.1 * gradient for v, gradient in zip(velocity, gradients, strict=True)]
        weights = [weight + v for weight, v in zip(weights, velocity, strict=True)]
    for value, expected in zip(trained, weights, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


def loss(images, filters, offset, kernel, bias):
    """Mean cross-entropy; a convolution's average is the filter on the average window."""
    windows = sliding_window_view(images.pixels / 255, (3, 3), axis=(1, 2)).mean(
        axis=(1, 2)
    )  # (N, 3, 3, 3), colour first
    features = np.einsum("nchw,hwck->nk", windows, filters) + offset
    return -log_softmax(features @ kernel.T + bias, axis=1)[np.arange(len(images)), images.y].mean()


def central_differences(function, arrays, step=1e-5):
    gradients = [np.zeros_like(array) for array in arrays]
    for array, gradient in zip(arrays, gradients, strict=True):
        for index in np.ndindex(array.shape):
            middle, values = array[index], []
            for shift in (step, -step):
                array[index] = middle + shift
                values.append(function(arrays))
            array[index] = middle
            gradient[index] = (values[0] - values[1]) / (2 * step)
    return gradients


def test_bad_settings_are_refused_at_once():
    with pytest.raises(ValueError, match=r"learning_rate: expected a number > 0, received 0"):
        FromScratch(learning_rate=0.0)
    with pytest.raises(ValueError, match="epochs: expected at least 1, one a phase, received 0"):
        FromScratch(epochs=0)
    with pytest.raises(ValueError, match=r"batch_size: expected a number > 0, received 0"):
        FromScratch(batch_size=0)
