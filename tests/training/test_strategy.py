import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.options import TrainingOptions
from zsltf.training.strategy import check_replicas, make_strategy


@pytest.fixture(scope="module")
def mirrored():
    """What mirrored_training.py finds on two logical CPU devices, in a process of its own."""
    program = Path(__file__).with_name("mirrored_training.py")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_two_devices_are_two_replicas(mirrored):
    assert mirrored["replicas"] == {"auto": 1, "cpu": 1, "mirrored": 2}


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_two_devices_train_as_one(mirrored, optimizer):
    found = mirrored[optimizer]
    assert found["moved"] > 0.05
    assert found["weights"] < 1e-6
    assert found["state"] < 1e-6  # averages of the weights included
    assert found["average"] > 0.01  # which are not the weights


def test_the_state_goes_on_in_a_new_optimizer(mirrored):
    assert mirrored["resumed"] < 1e-6


def test_statistics_of_batch_norm_are_measured(mirrored):
    assert mirrored["recalibrated"] < 1e-6


def test_a_sweep_of_rates_leaves_the_weights_alone(mirrored):
    assert mirrored["sweep"] == {"losses": 8, "difference": 0}


@pytest.mark.parametrize("run", ["engine", "uncertainty", "pcgrad"])
def test_the_engine_trains_several_heads_on_two_devices_as_on_one(mirrored, run):
    assert mirrored[run]["figures"] == 2 * 4 + 1  # losses and accuracy of both parts, and the penalty
    assert mirrored[run]["log"] < 1e-4
    assert mirrored[run]["weights"] < 1e-5


def test_accumulation_really_fails_without_the_check(mirrored):
    assert "merge_call" in mirrored["accumulation"]


def test_clipping_really_differs_without_the_check(mirrored):
    assert mirrored["clipping"] > 1e-3


class Two:
    num_replicas_in_sync = 2


def test_what_several_devices_cannot_do_is_refused_before_training():
    def options(batch_size=8, **optimization):
        return TrainingOptions(batch_size=batch_size, optimization=OptimizerOptions(**optimization))

    check_replicas(Two(), options(ema=0.9))
    check_replicas(make_strategy("cpu"), options(batch_size=7, accumulate=4, clip_norm=1.0))
    for wrong, message in (
        (options(accumulate=4), r"OptimizerOptions.accumulate: expected 1 on 2 devices, received 4. Take larger"),
        (options(clip_norm=0.5), r"OptimizerOptions.clip_norm: expected 0 on 2 devices, received 0.5. Train on one"),
        (options(batch_size=7), r"TrainingOptions.batch_size: expected a multiple of the 2 devices, received 7. The"),
    ):
        with pytest.raises(ValueError, match=message):
            check_replicas(Two(), wrong)


def test_names():
    assert isinstance(make_strategy("cpu"), tf.distribute.OneDeviceStrategy)
    assert make_strategy() is tf.distribute.get_strategy()
    with pytest.raises(
        ValueError, match=r"strategy: expected one of auto, cpu, mirrored, tpu, received 'mirored'. Did you"
    ):
        make_strategy("mirored")


def test_the_cpu_alone_trains_as_usual():
    x, y = np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)
    found = []
    for strategy in (make_strategy("cpu"), make_strategy()):
        with strategy.scope():
            model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="zeros")])
            model.compile(OptimizerOptions(accumulate=2).build(0.1, rates={}, decayed=(), born={}), "mse")
            model.fit(x, y, batch_size=2, verbose=0)
        found.append(model.get_weights()[0])
    np.testing.assert_array_equal(*found)
    assert found[0].min() > 0


def test_without_a_tpu_the_way_out_is_named(monkeypatch):
    monkeypatch.delenv("TPU_NAME", raising=False)
    with pytest.raises(
        ValueError, match=r"strategy tpu: expected a TPU, received none .*Set TPU_NAME, or take strategy auto"
    ):
        make_strategy("tpu")
