import keras
import numpy as np
import pytest

from zsltf.artifacts.bisection import first_batch_dependence, first_difference
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.discovery import names, plugin_type
from zsltf.layers.preprocess import Preprocess

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 20, 24, 3), dtype=np.uint8)
EXPORTERS = [pytest.param(plugin_type("exporters", name)(), id=name) for name in names("exporters")]


@keras.saving.register_keras_serializable("tests")
class AlwaysTraining(keras.layers.BatchNormalization):
    def call(self, x, training=None, mask=None):
        return super().call(x, training=True, mask=mask)


def classifier(norm):
    images = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(6, 3, activation="relu", name="first")(images)
    x = keras.layers.Conv2D(6, 3, name="second")(norm(name="norm")(x))
    backbone = keras.Model(images, keras.layers.GlobalAveragePooling2D(name="pool")(x), name="backbone")
    features = keras.Input((6,))
    head = keras.Model(features, keras.layers.Dense(5, name="head")(features))
    table = ClassTable(names=("a", "b", "c"), semantics=RNG.normal(size=(3, 5)), seen=np.ones(3, bool))
    return Classifier(head, table).after(backbone, preprocess=Preprocess(16, scale=(255.0,) * 3))


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_a_sound_file_differs_nowhere(exporter):
    assert first_difference(classifier(keras.layers.BatchNormalization), IMAGES, exporter.replay, 1e-3) is None


def test_a_norm_in_training_mode_is_named():
    assert first_batch_dependence(classifier(AlwaysTraining), IMAGES, 1e-3) == "norm"
    assert first_batch_dependence(classifier(keras.layers.BatchNormalization), IMAGES, 1e-3) is None


@pytest.mark.parametrize(
    "layer", ["preprocess", "first", "second", "pool", "head", "similarity"]
)  # norm has the shape of first
def test_the_first_layer_that_differs_is_named(layer):
    net = classifier(keras.layers.BatchNormalization)
    order = ("preprocess", "first", "norm", "second", "pool", "head", "similarity")
    asked = []

    def replay(function, images):
        got = function(images)["tap"].numpy()
        asked.append(got.shape[1:])
        shapes = {(16, 16, 3): 0, (14, 14, 6): 1, (12, 12, 6): 3, (6,): 4, (5,): 5, (3,): 6}
        return got if shapes[got.shape[1:]] < order.index(layer) else got + 1

    assert first_difference(net, IMAGES, replay, 1e-3) == layer
    assert len(asked) <= 5
