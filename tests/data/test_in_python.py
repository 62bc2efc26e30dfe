"""Python in a pipeline: a process that leaves it half read ends."""

import subprocess
import sys

import numpy as np
import tensorflow as tf

from zsltf.data.in_python import in_python

PROGRAM = """
import time
import tensorflow as tf
from zsltf.data.in_python import in_python

def slow(number):
    time.sleep(0.02)
    return number

def read():
    numbers = tf.data.Dataset.range(10_000).map(lambda n: in_python(slow, [n], tf.int64), num_parallel_calls=8)
    iterator = iter(numbers.batch(32))
    next(iterator)
    raise ValueError("half read")

read()
"""


def test_it_computes():
    numbers = tf.data.Dataset.range(5).map(lambda n: in_python(lambda n: n * n, [n], tf.int64))
    np.testing.assert_array_equal(list(numbers.as_numpy_iterator()), np.arange(5) ** 2)


def test_a_process_that_fails_half_way_ends():
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: half read\n")
