"""What a training keeps: averaged and recalibrated weights, checkpoints that hold no NaN, and its settings."""

import dataclasses

import keras
import numpy as np
import pytest
from training.problems import CLASSES, FAST, assert_same_weights, data, network

from zsltf.backbones.keras_model import keras_model
from zsltf.heads.linear import LinearHead
from zsltf.training.batch_norm import batch_norm_layers
from zsltf.training.checkpoints import Checkpoints
from zsltf.training.engine import train
from zsltf.training.examples import Examples
from zsltf.training.network import Network
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.penalties import Penalty
from zsltf.training.phase_model import Objectives
from zsltf.training.phases import Phase

LAST = dataclasses.replace(FAST, keep="last", batch_size=30)
EVERYTHING = Phase(name="all", epochs=2, learning_rate=1e-2, train_from="block1", batch_norm="recalibrate")
HEAD = Phase(name="head", epochs=2, learning_rate=1e-2)


def averaging(options):
    return dataclasses.replace(options, optimization=OptimizerOptions(ema=0.5))


def test_recalibrated_statistics_outlive_a_training_that_was_resumed_after_its_end(tmp_path):
    outcome = train(network(), data(), [EVERYTHING], LAST, folder=tmp_path)
    again = train(network(), data(), [EVERYTHING], LAST, folder=tmp_path, resume=True)
    assert_same_weights(again, outcome)
    kept = Checkpoints(tmp_path).read()[1]
    assert any("moving_variance" in key for key in kept)


@pytest.mark.parametrize("options", [LAST, dataclasses.replace(LAST, keep="best")], ids=["last", "best"])
def test_statistics_are_those_of_the_averaged_weights(options):
    net = network()
    train(net, data(), [EVERYTHING], averaging(options))
    pixels = net.backbone.preprocess(data().train.images.pixels)
    maps = np.asarray(net.model.get_layer("block1_conv")(pixels), np.float64)
    norm = net.model.get_layer("block1_bn")
    np.testing.assert_allclose(norm.moving_mean, maps.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, maps.var(axis=(0, 1, 2)), rtol=1e-3)


@pytest.mark.parametrize("average", [False, True])
def test_what_was_best_on_validation_ships(average):
    """The labels of validation are rotated, so that it gets worse with every epoch."""
    options = dataclasses.replace(FAST, monitor="loss", optimization=OptimizerOptions(ema=0.5 * average))
    validation = data().validation.images
    validation = dataclasses.replace(validation, y=(validation.y + 1) % 3)
    outcome = train(
        network(),
        data(validation=Examples(images=validation)),
        [dataclasses.replace(EVERYTHING, epochs=3, batch_norm="frozen")],
        options,
    )
    scores = outcome.classifiers()["class"].score(validation.pixels)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(validation.y, scores)
    figures = [row["val_loss"] for row in outcome.state.history]
    assert outcome.state.best == int(np.argmin(figures)) < len(figures) - 1, figures
    assert float(loss) == pytest.approx(min(figures), rel=1e-4)


def test_weighted_validation_images_count_by_their_weight():
    still = dataclasses.replace(HEAD, epochs=1, learning_rate=1e-9)
    weight = np.linspace(0, 2, 12).astype(np.float32)
    given = data(validation=dataclasses.replace(data().validation, sample_weight=weight))
    net = network({"class": LinearHead()})
    row = train(net, given, [still], dataclasses.replace(FAST, batch_size=12)).state.history[0]
    images = given.validation.images
    scores = np.asarray(net.model(net.backbone.preprocess(images.pixels), training=False))
    right = scores.argmax(axis=1) == images.y
    loss = np.asarray(keras.losses.sparse_categorical_crossentropy(images.y, scores, from_logits=True))
    assert row["val_accuracy"] == pytest.approx(weight @ right / weight.sum(), rel=1e-5)
    assert row["val_loss"] == pytest.approx(weight @ loss / 12, rel=1e-4)


class PoisonedEnd(keras.callbacks.Callback):
    """After the second epoch's last batch, a weight is NaN: no loss has seen it yet."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1:
            kernel = self.model.upper.get_layer("class_scores").kernel
            kernel.assign(np.full(kernel.shape, np.nan, np.float32))


def test_a_weight_that_is_not_finite_is_never_checkpointed(tmp_path):
    message = r"weight '.*class_scores/kernel' after epoch 2, phase 'head': expected finite numbers, received nan"
    with pytest.raises(ValueError, match=message):
        train(network(), data(validation=None), [HEAD], LAST, folder=tmp_path, callbacks=[PoisonedEnd()])
    state, weights, _ = Checkpoints(tmp_path).read()
    assert state.epoch == 1
    assert all(np.isfinite(value).all() for value in weights.values())


def test_another_penalty_is_another_training(tmp_path):
    size = Penalty(name="size", weight=1.0, function=lambda variables: keras.ops.sum(variables[0] ** 2))
    train(network(), data(), [HEAD], LAST, penalties=[size], folder=tmp_path)
    heavier = dataclasses.replace(size, weight=2.0)
    with pytest.raises(ValueError, match=r"resume: expected the settings of the checkpoint, received other penalties"):
        train(network(), data(), [HEAD], LAST, penalties=[heavier], folder=tmp_path, resume=True)


@keras.saving.register_keras_serializable("tests")
class Normalised(keras.layers.Layer):
    """A composite layer: a convolution and the BatchNormalization inside of it."""

    def build(self, shape):
        self.conv, self.norm = keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()
        self.conv.build(shape)
        self.norm.build(self.conv.compute_output_shape(shape))

    def call(self, x, training=None):
        return self.norm(self.conv(x), training=training)

    def compute_output_shape(self, shape):
        return self.conv.compute_output_shape(shape)


def test_statistics_inside_of_a_composite_layer_are_recalibrated():
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 3))
    model = keras.Model(image, Normalised(name="block1")(image))
    net = Network.build(keras_model(model, stages={"block1": ("block1",)}), {"class": LinearHead()}, CLASSES)
    (norm,) = batch_norm_layers(model)
    train(net, data(), [EVERYTHING], LAST)
    maps = np.asarray(model.get_layer("block1").conv(net.backbone.preprocess(data().train.images.pixels)))
    np.testing.assert_allclose(norm.moving_mean, maps.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-4)


def test_the_figures_go_to_tensorboard_too(tmp_path):
    train(network(), data(), [HEAD], LAST, tensorboard=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"train", "validation"}


@pytest.mark.parametrize("objectives", [Objectives(), Objectives(pcgrad=True)])
def test_gradients_of_several_heads_survive_float16(objectives):
    from zsltf.heads.attributes import AttributeHead

    options = dataclasses.replace(LAST, precision="mixed_float16", objectives=objectives)
    phase = dataclasses.replace(EVERYTHING, batch_norm="frozen", learning_rate=1e-3)
    kept = []
    for precision in ("float32", "mixed_float16"):
        net = network({"class": LinearHead(), "attributes": AttributeHead()})
        outcome = train(net, data(), [phase], dataclasses.replace(options, precision=precision))
        kept.append([row["loss"] for row in outcome.state.history])
    np.testing.assert_allclose(kept[1], kept[0], rtol=0.02)
