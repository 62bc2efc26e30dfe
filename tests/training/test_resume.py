"""Killed at any moment, a training goes on as if nothing had been."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from training.problems import CLASSES, FAST, assert_same_weights, data, losses, network

from zsltf.heads.attributes import AttributeHead
from zsltf.training.checkpoints import Checkpoints
from zsltf.training.engine import train
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.options import TrainingOptions
from zsltf.training.phases import Phase, preset

SCRIPT = Path(__file__).parent / "interrupted_training.py"
OPTIONS = TrainingOptions(batch_size=8, monitor="loss", optimization=OptimizerOptions(ema=0.9))


class InterruptionError(Exception):
    pass


def phases(net, **changes):
    return preset("fine_tune", list(net.stages), head_epochs=2, epochs=2, batch_norm="train", **changes)


def run(folder, callbacks=(), options=OPTIONS):
    net = network()
    return train(net, data(), phases(net), options, folder=folder, resume=True, callbacks=callbacks)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("uninterrupted"))


class Begun(keras.callbacks.Callback):
    """The epochs that a process begins."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append(epoch)


class StopAfter(keras.callbacks.Callback):
    """Raises at the n-th batch of its life, whatever the phase."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left < 0:
            raise InterruptionError


@pytest.mark.parametrize(("batches", "left"), [(0, 4), (5, 3), (9, 2), (15, 1)])
def test_stopped_in_any_phase_it_ends_with_the_same_weights(batches, left, uninterrupted, tmp_path):
    with pytest.raises(InterruptionError):
        run(tmp_path, [StopAfter(batches)])
    begun = Begun()
    resumed = run(tmp_path, [begun])
    assert len(begun.epochs) == left
    assert losses(resumed) == losses(uninterrupted)
    assert resumed.state.best == uninterrupted.state.best
    assert resumed.state.proofs == uninterrupted.state.proofs
    assert_same_weights(resumed, uninterrupted)


@pytest.mark.parametrize("write", [1, 3, 6, 8, 11])
def test_stopped_in_the_middle_of_a_write_it_ends_with_the_same_weights(write, uninterrupted, tmp_path, monkeypatch):
    saved, real = [], np.savez

    def half_written(file, **arrays):
        saved.append(file)
        if len(saved) > write:
            file.write(b"PK half of a checkpoint")
            raise InterruptionError
        real(file, **arrays)

    monkeypatch.setattr("zsltf.training.checkpoints.np.savez", half_written)
    with pytest.raises(InterruptionError):
        run(tmp_path)
    monkeypatch.undo()
    assert_same_weights(run(tmp_path), uninterrupted)
    assert not list(tmp_path.glob(".*"))


def test_a_finished_training_is_not_trained_again(uninterrupted, tmp_path):
    run(tmp_path)
    again = run(tmp_path, [StopAfter(0)])
    assert_same_weights(again, uninterrupted)


def test_other_settings_are_refused_by_name(tmp_path):
    run(tmp_path)
    other = TrainingOptions(batch_size=10)
    with pytest.raises(ValueError, match=r"resume: expected the settings of the checkpoint, received other options"):
        run(tmp_path, options=other)


def test_other_attributes_are_refused(tmp_path):
    phase = Phase(name="head", epochs=1, learning_rate=1e-2)
    net = network({"attributes": AttributeHead()})
    train(net, data(), [phase], FAST, folder=tmp_path)
    other = replace(net, classes=replace(CLASSES, semantics=1 - CLASSES.semantics))
    with pytest.raises(ValueError, match=r"resume: expected the settings of the checkpoint, received other attributes"):
        train(other, data(), [phase], FAST, folder=tmp_path, resume=True)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    run(tmp_path)
    (tmp_path / "state.npz").write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"expected a checkpoint as zsltf wrote it, received a damaged one"):
        run(tmp_path)


def test_without_resume_a_training_starts_afresh(tmp_path, uninterrupted):
    net = network()
    short = [Phase(name="head", epochs=1, learning_rate=1e-2)]
    train(net, data(), short, FAST, folder=tmp_path)
    net = network()
    fresh = train(net, data(), phases(net), OPTIONS, folder=tmp_path)
    assert_same_weights(fresh, uninterrupted)
    assert Checkpoints(tmp_path).read()[0].phase == 3


def process(folder, name, epochs, *kill):
    """Of `interrupted_training.py`: whether it was killed."""
    arguments = [sys.executable, str(SCRIPT), str(folder), name, str(epochs), *map(str, kill)]
    code = subprocess.run(arguments, check=False, capture_output=True).returncode
    assert code in (0, -9)
    return code == -9


def killed_until_done(folder, name, epochs, kills, startup, training):
    """Train in processes that are killed, a quarter of them while they start, then in one that is not; the hits."""
    rng, hits = np.random.default_rng(), 0
    for number in range(kills):
        moment, longest = ("begin", startup) if number % 4 == 3 else ("batch", training / kills)
        hits += process(folder, name, epochs, moment, f"{rng.uniform(0, longest):.3f}")
    assert not process(folder, name, epochs)
    return hits


def epochs_of(folder):
    """Of each process: the epochs that it trained to their end, in order."""
    ended = [line.split() for line in (folder / "epochs.txt").read_text("utf-8").splitlines()]
    processes = dict.fromkeys(process for process, *_ in ended)
    return [[tuple(epoch) for process, *epoch in ended if process == each] for each in processes]


def assert_nothing_whole_is_trained_again(folder, whole):
    """A killed process may have ended an epoch without its checkpoint; that one alone is trained twice."""
    (expected,) = epochs_of(whole)
    done = 0
    for epochs in epochs_of(folder):
        first = expected.index(epochs[0])
        assert done - 1 <= first <= done
        assert epochs == expected[first : first + len(epochs)]
        done = first + len(epochs)
    assert done == len(expected)


def assert_as_uninterrupted(folder, whole):
    with np.load(folder / "final.npz") as resumed, np.load(whole / "final.npz") as expected:
        for key in expected.files:
            np.testing.assert_array_equal(resumed[key], expected[key])
    np.testing.assert_array_equal(np.load(folder / "losses.npy"), np.load(whole / "losses.npy"))


@pytest.mark.parametrize(
    ("name", "epochs", "kills"),
    [
        ("conv4", 2, 2),
        pytest.param("conv4", 10, 20, marks=pytest.mark.slow),
        pytest.param("resnet50", 2, 4, marks=pytest.mark.slow),
        pytest.param("vgg16", 2, 4, marks=pytest.mark.slow),
    ],
)
def test_killed_with_sigkill_it_ends_with_the_same_weights(name, epochs, kills, tmp_path):
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    folder.mkdir()
    whole.mkdir()
    assert not process(whole, name, epochs)
    hits = killed_until_done(folder, name, epochs, kills, *np.load(whole / "seconds.npy"))
    assert hits >= kills // 2
    assert_nothing_whole_is_trained_again(folder, whole)
    assert_as_uninterrupted(folder, whole)
