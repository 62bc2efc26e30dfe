"""The sweep before a training: on the model that the first phase trains, and without a trace."""

import dataclasses

import keras
import numpy as np
import pytest
from training.problems import FAST, data, network

from zsltf.data.augment import Augmentation
from zsltf.training.batches import epoch_order
from zsltf.training.first_rate import sweep_first_phase
from zsltf.training.penalties import Penalty
from zsltf.training.phases import Phase

HEAD = Phase(name="head", epochs=2, learning_rate=1e-3)
ALL = Phase(name="all", epochs=2, learning_rate=1e-3, train_from="block1", stage_decay=0.5, batch_norm="train")


@pytest.mark.parametrize(("phase", "precision"), [(HEAD, "float32"), (ALL, "mixed_bfloat16")])
def test_it_leaves_no_trace(phase, precision):
    net = network()
    net.backbone.model.get_layer("block2_conv").trainable = False
    fingerprint, before = net.backbone.fingerprint, [np.array(weight) for weight in net.model.weights]
    given = data(augmentation=Augmentation(flip=True))
    sweep = sweep_first_phase(net, given, [phase], dataclasses.replace(FAST, precision=precision))
    assert len(sweep.rates) > 20
    assert sweep.losses.min() < sweep.losses[0]
    for weight, value in zip(net.model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value, err_msg=weight.path)
    assert net.backbone.fingerprint == fingerprint  # which depends on what is frozen
    assert [layer.name for layer in net.model.layers if not layer.trainable] == ["block2_conv"]


def test_the_first_loss_is_that_of_the_first_batch_and_phase():
    """The loss of dropout and BatchNorm as in training, on the images that the first epoch begins with."""
    net = network()
    sweep = sweep_first_phase(net, data(), [HEAD, ALL], FAST)
    fresh = network()
    fresh.freeze(HEAD)
    order = np.asarray(epoch_order(30, FAST.seed, 0))
    images = data().train.images.select(order[: FAST.batch_size])
    scores = fresh.model(fresh.backbone.preprocess(images.pixels), training=True)
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(images.y, scores)
    assert sweep.losses[0] == pytest.approx(float(expected), rel=1e-4)


def test_penalties_take_part():
    strong = Penalty(name="size", weight=1e3, function=lambda variables: keras.ops.sum(variables[0] ** 2))
    plain, pulled = (sweep_first_phase(network(), data(), [HEAD], FAST, penalties) for penalties in ((), (strong,)))
    assert plain.losses[0] == pytest.approx(pulled.losses[0], abs=1e-3)  # it is logged without them
    both = min(len(plain.losses), len(pulled.losses))
    assert np.abs(plain.losses[:both] - pulled.losses[:both]).max() > 1e-2
