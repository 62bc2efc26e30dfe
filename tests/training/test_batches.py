"""Streams: what can't be decoded, and the order over epochs."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from training.problems import FAST, data, examples, losses, network

from zsltf.data.augment import Augmentation
from zsltf.data.image_array import ImageArray
from zsltf.training.activations import Activations
from zsltf.training.batches import Stream
from zsltf.training.engine import train
from zsltf.training.examples import Examples
from zsltf.training.phases import Phase
from zsltf.training.setup import stream_of

HEAD = Phase(name="head", epochs=2, learning_rate=1e-2)


class Broken(ImageArray):
    """Images of which those named `broken` can't be decoded."""

    one_size = False

    def load(self, index, size, policy="stretch"):
        if self.names[index].startswith("broken"):
            raise ValueError(f"{self.names[index]}: no image")
        return super().load(index, size, policy)


def broken(rows, count=12, *, on_corrupt="skip"):
    images = examples(count, seed=1).images
    names = tuple(f"{'broken' if row in rows else 'fine'} {row}" for row in range(count))
    return Examples(images=Broken(pixels=images.pixels, y=images.y, names=names), on_corrupt=on_corrupt)


@pytest.mark.parametrize("cache", ["off", "memory"])
def test_a_broken_validation_image_counts_for_nothing_and_is_listed(cache):
    options = dataclasses.replace(FAST, cache=cache)
    outcome = train(network(), data(validation=broken({3, 7})), [HEAD], options)
    assert outcome.validation.skipped == {3: "broken 3: no image", 7: "broken 7: no image"}
    weight = np.ones(12, np.float32)
    weight[[3, 7]] = 0
    without = dataclasses.replace(broken(()), sample_weight=weight)
    expected = train(network(), data(validation=without), [HEAD], options)
    for figure in ("val_loss", "val_accuracy"):
        rows, others = ([row[figure] for row in training.state.history] for training in (outcome, expected))
        np.testing.assert_allclose(rows, others, rtol=1e-6)


@pytest.mark.parametrize("cache", ["off", "memory"])
@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_broken_image_stops_the_training_where_that_is_asked(cache, part):
    given = data(**{part: broken({5}, on_corrupt="error")})
    message = r"images: expected files that can be decoded, received 1 that can't: broken 5: no image\. Replace them, "
    with pytest.raises(ValueError, match=message):
        train(network(), given, [HEAD], dataclasses.replace(FAST, cache=cache))


def test_images_of_which_none_can_be_decoded_are_refused():
    with pytest.raises(ValueError, match=r"images: expected files that can be decoded, received 12 that can't: "):
        train(network(), data(train=broken(range(12))), [HEAD], FAST)


def test_images_without_a_flaw_train_alike_either_way():
    given = [data(train=broken((), on_corrupt=choice)) for choice in ("skip", "error")]
    skip, error = (losses(train(network(), each, [HEAD], FAST)) for each in given)
    assert skip == error


def stream(count=10, **changes):
    fields = {
        "examples": examples(count),
        "preprocess": network().backbone.preprocess,
        "targets": lambda y: (y,),
        "augmentation": Augmentation(),
        "batch_size": 4,
        "seed": 3,
    }
    return Stream(**{**fields, **changes})


@pytest.mark.parametrize(("drop", "sizes"), [(False, [4, 4, 2]), (True, [4, 4])])
def test_each_epoch_is_a_new_order_and_the_same_wherever_it_starts(drop, sizes):
    whole = stream(drop_remainder=drop)
    batches = list(whole.epochs(0, 3))
    assert [len(x) for x, _, _ in batches] == sizes * 3
    assert whole.steps == len(sizes)
    orders = [np.asarray(whole.order(epoch)) for epoch in range(3)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    pixels = whole.examples.images.pixels
    for epoch, order in enumerate(orders):
        taken = np.concatenate([x for x, _, _ in batches[epoch * len(sizes) : (epoch + 1) * len(sizes)]])
        np.testing.assert_array_equal(taken, pixels[order[: len(taken)]])
    for late, expected in zip(whole.epochs(1, 3), batches[len(sizes) :], strict=True):
        np.testing.assert_array_equal(late[0], expected[0])


@pytest.mark.parametrize("drop", [False, True])
def test_in_order_there_are_always_all(drop):
    whole = stream(drop_remainder=drop)
    pixels = whole.examples.images.pixels
    for view in (None, 0):
        batches = list(whole.in_order(view))
        np.testing.assert_array_equal(np.concatenate([x for x, _, _ in batches]), pixels)
        np.testing.assert_array_equal(np.concatenate([y for _, (y,), _ in batches]), whole.examples.images.y)
    values = np.random.default_rng(0).normal(size=(2, 10, 3)).astype(np.float32)
    kept = list(whole.activations_in_order(Activations(values=values)))
    np.testing.assert_array_equal(np.concatenate([x for x, _, _ in kept]), values[0])


@pytest.mark.parametrize("largest", [0, 2**29], ids=["from NumPy", "from TensorFlow"])
def test_activations_come_in_the_order_and_the_view_of_the_images(largest, monkeypatch):
    monkeypatch.setattr(Activations, "largest_constant", largest)
    whole = stream(views=2)
    values = np.random.default_rng(0).normal(size=(2, 10, 3)).astype(np.float32)
    taken = np.concatenate([x for x, _, _ in whole.epochs(1, 4, Activations(values=values))])
    expected = [values[epoch % 2, np.asarray(whole.order(epoch))] for epoch in (1, 2, 3)]
    np.testing.assert_array_equal(taken, np.concatenate(expected))


@pytest.mark.parametrize("augmentation", [Augmentation.light(), Augmentation(mixup=0.2), Augmentation()])
@pytest.mark.parametrize("size", [40, 32])
def test_an_array_is_read_a_batch_at_a_time_as_it_is_one_by_one(size, augmentation):
    class Single(ImageArray):
        one_size = False

    found = []
    for kind in (ImageArray, Single):
        images = kind(pixels=examples(21, size=size).images.pixels, y=np.arange(21) % 3)
        weights = np.linspace(0.5, 1.5, 21)
        given = data(train=Examples(images=images, sample_weight=weights), augmentation=augmentation)
        found.append(list(stream_of(network(), given.train, given, FAST, replicas=1).epochs(0, 2)))
    assert len(found[0]) == 6
    for one, other in zip(*found, strict=True):
        for first, second in zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True):
            np.testing.assert_array_equal(first, second)


def test_no_tuner_holds_up_the_end_of_a_pass():
    given = data()
    stream = stream_of(network(), given.train, given, FAST, replicas=1)
    for dataset in (stream.epochs(0, 2), stream.in_order(), stream.watched(None)):
        assert dataset.options().autotune.enabled is False
