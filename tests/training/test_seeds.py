import random
import subprocess
import sys

import keras
import numpy as np

from zsltf.generalization.wise_ft import WiSEFT
from zsltf.training.descent import Descent
from zsltf.training.seeds import seed_everything, with_seed


def draws():
    layer = keras.layers.Dropout(0.5)
    return (
        random.random(),  # noqa: S311
        np.random.rand(),  # noqa: NPY002
        float(keras.random.normal(())),
        np.asarray(layer(np.ones(64), training=True)),
    )


def test_a_seed_decides_every_draw():
    found = []
    for seed in (3, 3, 4):
        seed_everything(seed)
        found.append(draws())
    for first, again, other in zip(*found, strict=True):
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_a_seed_reaches_every_training_of_a_method():
    method = with_seed(WiSEFT(head=Descent(epochs=3, seed=1)), 7)
    assert method == WiSEFT(head=Descent(epochs=3, seed=7), descent=Descent(epochs=10, seed=7))


PROGRAM = """
from zsltf.generalization.wise_ft import WiSEFT
from zsltf.training.descent import Descent
from zsltf.training.seeds import seed_everything, with_seed
import tensorflow as tf
from tensorflow.python.framework import config
seed_everything(0)
before = config.is_op_determinism_enabled()
seed_everything(0, deterministic=True)
print(before, config.is_op_determinism_enabled())
"""


def test_determinism_is_switched_on_only_when_asked():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
