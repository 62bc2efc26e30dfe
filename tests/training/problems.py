"""Small problems for the engine's tests: three colours under noise, and networks that see them."""

import keras
import numpy as np

from zsltf.backbones.conv4 import conv4
from zsltf.backbones.keras_model import keras_model
from zsltf.data.classes import ClassTable
from zsltf.data.image_array import ImageArray
from zsltf.heads.vgg import VGGHead
from zsltf.pretrained.backbone import stages_by_prefix
from zsltf.training.examples import Examples
from zsltf.training.network import Network
from zsltf.training.options import TrainingOptions
from zsltf.training.setup import Data

CLASSES = ClassTable(
    names=("red", "green", "blue"),
    semantics=np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 0]], np.float32),
    seen=np.ones(3, bool),
    columns=("r", "g", "b", "warm"),
)
FAST = TrainingOptions(batch_size=8)


def examples(count=30, size=32, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    pixels = rng.integers(0, 120, (count, size, size, 3))
    pixels[np.arange(count), :, :, y] += 100
    return Examples(images=ImageArray(pixels=pixels.astype(np.uint8), y=y))


def data(**changes):
    return Data(**{"train": examples(), "validation": examples(12, seed=1), **changes})


def network(heads=None, seed=0, size=32):
    """A random conv4 whose BatchNorm statistics are not the trivial ones."""
    keras.utils.set_random_seed(seed)
    backbone = conv4(None, size=size)
    shake(backbone.model, seed)
    return Network.build(backbone, heads or {"class": VGGHead(units=12)}, CLASSES)


def shake(model, seed=0):
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(rng.normal(0, 0.2, layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.5, 2.0, layer.moving_variance.shape))


def real_network(name, size=32, seed=0):
    """ResNet50 or VGG16 with random weights at a small input size."""
    keras.utils.set_random_seed(seed)
    build, prefixes = {
        "resnet50": (keras.applications.ResNet50, ("conv1", "conv2", "conv3", "conv4", "conv5")),
        "vgg16": (keras.applications.VGG16, ("block1", "block2", "block3", "block4", "block5")),
    }[name]
    model = build(include_top=False, weights=None, input_shape=(size, size, 3))
    backbone = keras_model(model, stages=stages_by_prefix(model, prefixes), scale=(255.0,) * 3)
    return Network.build(backbone, {"class": VGGHead(units=8)}, CLASSES)


def losses(training):
    return [row["loss"] for row in training.state.history]


def weights(training):
    return [np.array(weight) for weight in training.network.model.weights]


def assert_same_weights(first, second):
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)
