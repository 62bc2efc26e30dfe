"""Where activations are kept, and that they are what the frozen part computes."""

import dataclasses

import numpy as np
import pytest
from training.problems import FAST, data, network

from zsltf.data.augment import Augmentation
from zsltf.training.activation_cache import cached_activations
from zsltf.training.engine import train
from zsltf.training.phases import Phase
from zsltf.training.setup import stream_of

HEAD = Phase(name="head", epochs=2, learning_rate=1e-3)


def streams(given, net):
    return [stream_of(net, part, given, FAST, replicas=1) for part in (given.train, given.validation)]


@pytest.fixture
def room(monkeypatch):
    """Set the free bytes of memory and disk."""

    def set_room(memory, disk):
        monkeypatch.setattr("psutil.virtual_memory", type("Memory", (), {"available": memory}))
        monkeypatch.setattr("psutil.disk_usage", lambda _: type("Disk", (), {"free": disk})())

    return set_room


def needed(net, count):
    """Bytes of so many images' activations under the head."""
    return 4 * count * int(np.prod(net.cut(HEAD)[0].output_shape[1:]))


@pytest.mark.parametrize("policy", ["memory", "disk"])
def test_activations_are_those_of_the_frozen_part_for_each_view(policy, private_cache):
    net, given = network(), data(augmentation=Augmentation(flip=True), views=2)
    lower, _ = net.cut(HEAD)
    before = set(private_cache.iterdir())
    found, note = cached_activations(streams(given, net), lower, 10, policy)
    for activations, stream, views in zip(found, streams(given, net), ((0, 1), (None,)), strict=True):
        for values, view in zip(activations.values, views, strict=True):
            pixels = np.concatenate([x for x, _, _ in stream.in_order(view)])
            expected = lower(net.backbone.preprocess.normalise(pixels), training=False)
            np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)
    assert np.abs(found[0].values[0] - found[0].values[1]).max() > 1e-3
    assert isinstance(found[0].values, np.memmap) == (policy == "disk")
    assert set(private_cache.iterdir()) == before  # a process that is killed leaves no file behind
    assert note.endswith(" in memory" if policy == "memory" else " on disk")


@pytest.mark.parametrize("policy", ["auto", "memory"])
def test_room_is_judged_for_training_and_validation_together(policy, room):
    net, given = network(), data()
    lower, _ = net.cut(HEAD)
    both = 2 * needed(net, len(given.train) + len(given.validation))  # a cache takes half of what is free
    for memory, disk, kept, where in (
        (both, 0, 2, "in memory"),
        (both - 1, both, 2, "on disk: memory is too small for them"),
        (both - 1, both - 1, 0, "fit neither in memory nor on disk: the phase runs the frozen part every epoch"),
    ):
        room(memory, disk)
        found, note = cached_activations(streams(given, net), lower, 10, policy)
        assert len(found) == kept
        assert note == f"0 + 0 MiB of activations {where}"


def test_each_part_is_counted_in_the_note(monkeypatch):
    monkeypatch.setattr("zsltf.training.activation_cache._fill", lambda *_: None)
    net, given = network(), data()
    lower = type("Lower", (), {"output_shape": (None, 256, 1024), "outputs": [None]})()
    _, note = cached_activations(streams(given, net), lower, 10, "memory")
    assert note == f"{len(given.train)} + {len(given.validation)} MiB of activations in memory"
    _, note = cached_activations(streams(given, net)[:1], lower, 10, "memory")
    assert note == f"{len(given.train)} MiB of activations in memory"


@pytest.mark.parametrize(("memory", "disk"), [(0, 1 << 30), (0, 0)])
def test_where_they_are_changes_no_figure(room, memory, disk):
    options = dataclasses.replace(FAST, cache="memory")
    expected = train(network(), data(), [HEAD], options).state
    room(memory, disk)
    state = train(network(), data(), [HEAD], options).state
    assert ("in memory" in expected.notes[0], "neither" in state.notes[0]) == (True, disk == 0)
    for figure in ("loss", "val_loss"):
        rows, others = ([row[figure] for row in each.history] for each in (state, expected))
        np.testing.assert_allclose(rows, others, rtol=1e-5)
