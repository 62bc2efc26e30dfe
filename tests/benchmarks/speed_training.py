"""Training: our steps against bare Keras', a phase from cached features against the frozen network."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from speed_comparison import Comparison, Stopwatch, seconds
from speed_materials import CLASSES, Pictures, Scale, network

from zsltf.data.image_array import ImageArray
from zsltf.training.batches import epoch_order
from zsltf.training.engine import train
from zsltf.training.examples import Examples
from zsltf.training.network import Network
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.options import TrainingOptions
from zsltf.training.phases import HEAD, Phase
from zsltf.training.setup import Data

RATE = 1e-3


def steps(pictures: Pictures, scale: Scale) -> Iterator[Comparison]:
    """Epochs of our engine, images decoded from memory and nothing cached, each followed by one of bare `fit`."""
    images = pictures.array(scale.images, scale.small_size)
    for name in ("mobilenet_v2", "resnet50"):
        for what in ("head only", "everything"):
            ours, theirs = network(name, scale.small_size), network(name, scale.small_size)
            lowest = HEAD if what == "head only" else next(iter(ours.stages))
            phase = Phase(
                name=what, epochs=scale.step_rounds + 1, learning_rate=RATE, train_from=lowest, batch_norm="train"
            )
            keras_epoch, other = bare_epoch(theirs, phase, images, scale)
            mine = Stopwatch(scale.batch_size, between=keras_epoch)
            train(ours, data(images), [phase], options(scale, cache="off"), callbacks=[mine])
            yield Comparison(
                what=f"training step, {name}, {what}, {scale.small_size} px",
                ours=mine.epochs[1:],
                against="`model.fit` of the same layers, normalising included, arrays in memory",
                theirs=other.epochs[1:],
                wanted=0.97,
            )


def cached_phase(pictures: Pictures, scale: Scale) -> Iterator[Comparison]:
    """The head of a frozen ResNet50, everything counted; the same batches in the same order for both."""
    images, epochs = pictures.array(scale.phase_images, scale.size), scale.phase_epochs
    phase = Phase(name="head", epochs=epochs, learning_rate=RATE, schedule="constant")
    settings = options(scale, cache="auto")
    losses: dict[str, np.ndarray] = {}

    def cached(network: Network) -> None:
        history = train(network, data(images), [phase], settings).state.history
        losses["ours"] = np.array([row["loss"] for row in history])

    def plain(network: Network) -> None:
        batches, model = same_batches(images, settings, epochs), bare(network, phase)
        run = model.fit(batches, epochs=epochs, steps_per_epoch=_steps(images, scale), shuffle=False, verbose=0)
        losses["theirs"] = np.array(run.history["loss"])

    times = [
        [seconds(partial(way, network("resnet50", scale.size))) for way in (cached, plain)]
        for _ in range(scale.phase_rounds)
    ]
    ours, theirs = (len(images) * epochs / np.array(way) for way in zip(*times, strict=True))
    difference = np.abs(losses["ours"] - losses["theirs"]).max() / losses["theirs"].max()
    yield Comparison(
        what=f"cached phase, resnet50, head only, {epochs} epochs of {len(images)} images of {scale.size} px",
        ours=ours,
        against="`model.fit` over the frozen model",
        theirs=theirs,
        wanted=8,
        remark="loss {:.4f} to {:.4f}, largest relative difference {:.0e}".format(
            losses["theirs"][0], losses["theirs"][-1], difference
        ),
    )


def head_step(pictures: Pictures, scale: Scale) -> Iterator[Comparison]:
    """Steps of the head from cached features, between them steps through the frozen network."""
    images = pictures.array(4 * scale.batch_size, scale.size)
    ours, theirs = network("resnet50", scale.size), network("resnet50", scale.size)
    phase = Phase(name="head", epochs=scale.rounds + 1, learning_rate=RATE, schedule="constant")
    keras_epoch, other = bare_epoch(theirs, phase, images, scale)
    mine = Stopwatch(scale.batch_size, between=keras_epoch)
    train(ours, data(images), [phase], options(scale, cache="memory"), callbacks=[mine])
    milliseconds = (1e3 * scale.batch_size / np.median(watch.steps[2:]) for watch in (mine, other))
    yield Comparison(
        what=f"step of a linear head from cached features, batch {scale.batch_size}",
        ours=mine.steps[2:],
        against=f"through the frozen resnet50, {scale.size} px",
        theirs=other.steps[2:],
        wanted=300,
        remark="{:.1f} against {:.0f} ms".format(*milliseconds),
    )


def data(images: ImageArray) -> Data:
    """Training images only."""
    return Data(train=Examples(images=images))


def options(scale: Scale, cache: Any) -> TrainingOptions:
    """Adam, as Keras has it."""
    return TrainingOptions(batch_size=scale.batch_size, optimization=OptimizerOptions(weight_decay=0.0), cache=cache)


def bare(network: Network, phase: Phase) -> keras.Model:
    """Resized images (B, size, size, 3) in [0, 255] to scores, frozen for the phase and compiled the usual way."""
    network.freeze(phase)
    preprocess = network.backbone.preprocess
    images = keras.Input((preprocess.size, preprocess.size, 3))
    (scores,) = network.model(preprocess.normalise(images))
    model = keras.Model(images, scores)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(phase.learning_rate), loss=loss, metrics=["accuracy"])
    return model


def bare_epoch(network: Network, phase: Phase, images: ImageArray, scale: Scale) -> tuple[Any, Stopwatch]:
    """A function that runs one epoch of the bare model on arrays in memory, and its stopwatch."""
    model, watch = bare(network, phase), Stopwatch(scale.batch_size)
    x, y = images.pixels.astype(np.float32), one_hot(images.y)
    return lambda: model.fit(x, y, batch_size=scale.batch_size, verbose=0, callbacks=[watch]), watch


def same_batches(images: ImageArray, settings: TrainingOptions, epochs: int) -> Any:
    """Arrays in memory as a dataset, in the order that the engine would take."""
    x, y = tf.constant(images.pixels.astype(np.float32)), tf.constant(one_hot(images.y))
    orders = np.stack([epoch_order(len(images), settings.seed, epoch) for epoch in range(epochs)])
    rows = tf.data.Dataset.from_tensor_slices(orders).flat_map(
        lambda order: tf.data.Dataset.from_tensor_slices(order).batch(settings.batch_size)
    )
    return rows.map(lambda batch: (tf.gather(x, batch), tf.gather(y, batch))).prefetch(2)


def one_hot(y: Sequence[int]) -> np.ndarray:
    """Labels as rows."""
    return np.eye(CLASSES, dtype=np.float32)[y]


def _steps(images: ImageArray, scale: Scale) -> int:
    return -(-len(images) // scale.batch_size)
