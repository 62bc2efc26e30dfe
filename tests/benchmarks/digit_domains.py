"""MNIST and USPS as two domains, and the network that every method is measured with."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.npz_images import read_npz
from zsltf.data.shares import random_share
from zsltf.evaluation.adaptation import AdaptationProtocol
from zsltf.layers.preprocess import Preprocess

SIZE = 28
"""Pixels a side: MNIST's own."""
CLASSES = ClassTable(names=tuple("0123456789"), semantics=np.zeros((10, 0), np.float32), seen=np.ones(10, bool))
DIRECTIONS = (("MNIST", "USPS"), ("USPS", "MNIST"))
SOURCE, TARGET = 4000, 4500
"""Images drawn of each: 2,000 to train on and as many to choose by; 1,800 to adapt to and 2,700 to test on."""


def read_digits(folder: Path, size: int = SIZE) -> dict[str, Features]:
    """Grey digits of one size, in [0, 1]."""
    return {name: _features(folder / file, size) for name, file in (("MNIST", "mnist_10k.npz"), ("USPS", "usps.npz"))}


def _features(path: Path, size: int) -> Features:
    images = read_npz(path).images
    preprocess = Preprocess(size, scale=(255.0,) * 3)
    return Features(x=np.asarray(preprocess(images.pixels))[..., :1], y=images.y)


def drawn(digits: Mapping[str, Features], direction: tuple[str, str], seed: int) -> tuple[Features, Features]:
    """Source and target of one seed, of each class as many as in the whole."""
    parts = []
    for name, count in zip(direction, (SOURCE, TARGET), strict=True):
        whole = digits[name]
        parts.append(whole.select(random_share(whole.y, count / len(whole), seed)))
    return parts[0], parts[1]


def protocol(seed: int) -> AdaptationProtocol:
    """Everything is drawn anew under each seed."""
    return AdaptationProtocol(seeds=(seed,), validation=0.5, test=0.6, split_seed=seed)


def network(seed: int, *, size: int = SIZE, strides: int = 1, momentum: float = 0.9) -> keras.Model:
    """Three convolutions with BatchNorm and pooling (or strides of 2 instead), and a dense layer."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    x = images = keras.Input((size, size, 1))
    for filters in (16, 32, 64):
        x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=momentum)(x))
        x = layers.MaxPooling2D()(x) if strides == 1 else x
    x = layers.Dense(128, use_bias=False)(layers.Flatten()(x))
    return keras.Model(images, layers.ReLU()(layers.BatchNormalization(momentum=momentum)(x)))
