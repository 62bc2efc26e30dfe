"""AdaBN on a target that comes class by class."""

import keras
import numpy as np

from zsltf.adaptation.ada_bn import AdaBN
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.evaluation.adaptation import under_target_statistics
from zsltf.generalization.ema import EMA
from zsltf.training.batch_norm import batch_norm_layers
from zsltf.training.descent import Descent

CLASSES = ClassTable(names=("a", "b"), semantics=np.zeros((2, 0), np.float32), seen=np.ones(2, bool))
DESCENT = Descent(epochs=1)


def by_class(seed):
    """100 examples of one class, then 100 of the other, whose means are 10 apart."""
    y = np.repeat([0, 1], 100)
    x = 10 * y[:, None] + np.random.default_rng(seed).normal(size=(200, 3))
    return Features(x=x.astype(np.float32), y=y)


def variance(classifier):
    (layer,) = batch_norm_layers(classifier.embed)
    return layer.moving_variance.numpy()


def test_its_statistics_are_those_of_all_classes_together():
    source, target = by_class(0), by_class(1)
    network = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization()])
    found = AdaBN(batch_size=100, descent=DESCENT).fit(source, target.unlabelled(), CLASSES, network=network)
    np.testing.assert_allclose(variance(found), target.x.var(axis=0), rtol=0.05)
    measured = under_target_statistics(found, Unlabelled(x=source.x), batch_size=100)
    np.testing.assert_allclose(variance(measured), source.x.var(axis=0), rtol=0.05)


def test_so_are_those_under_averaged_weights():
    parts = {str(seed): by_class(seed).select(np.repeat(np.arange(200), 3)) for seed in (2, 3)}
    network = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization()])
    found = EMA(descent=DESCENT).fit(Domains(parts=parts), CLASSES, network=network)
    np.testing.assert_allclose(variance(found), np.mean([part.x.var(axis=0) for part in parts.values()], 0), rtol=0.1)
