"""SimCLR and VICReg: what their views throw away is gone, and collapse is told."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from zsltf.data.unlabelled import Unlabelled
from zsltf.data.views import FeatureViews, ImageViews
from zsltf.selftaught.simclr import SimCLR
from zsltf.selftaught.vicreg import VICReg
from zsltf.training.descent import Descent

DESCENT = Descent(epochs=40, batch_size=50, learning_rate=0.005)


def tiles(count=100):
    """Plain pictures: what tells them apart is their pattern; brightness is chance."""
    rng = np.random.default_rng(0)
    pattern, bright = rng.normal(size=(count, 2)), rng.uniform(-2, 2, count)
    x = np.zeros((count, 8, 8, 3), np.float32)
    x[:, :4] += pattern[:, :1, None, None]
    x[:, 4:] -= pattern[:, :1, None, None]
    x[:, ::2] += pattern[:, 1:, None, None]
    return x + bright[:, None, None, None].astype(np.float32), pattern, bright


def network():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    body = [layers.Flatten(), layers.Dense(32), layers.BatchNormalization(), layers.ReLU(), layers.Dense(4)]
    return keras.Sequential([keras.Input((8, 8, 3)), *body])


@pytest.mark.parametrize("method", [SimCLR, VICReg])
def test_images_lose_what_views_change_and_keep_the_rest(method):
    x, pattern, bright = tiles()
    views = ImageViews(crop_scale=(1.0, 1.0), flip=False, contrast=0.0, colour=0.0, grey=0.0, brightness=3.0)
    made = method(images=views, units=(32, 16), descent=DESCENT)
    a = np.asarray(made.pretrain(Unlabelled(x=x), network=network())(x))
    kept, lost = (LinearRegression().fit(a, told).score(a, told) for told in (pattern, bright))
    assert kept > 0.7
    assert lost < kept - 0.3


@pytest.mark.parametrize("method", [SimCLR, VICReg])
def test_features_are_trained_on_without_a_network(method):
    x = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
    made = method(units=(16, 8), hidden=12, descent=DESCENT, features=FeatureViews(noise=0.3))
    a = np.asarray(made.pretrain(Unlabelled(x=x))(x))
    assert a.shape == x.shape
    assert np.abs(a - x).max() > 0.1


def test_without_variance_and_covariance_all_embeddings_become_one_and_that_is_told():
    x = Unlabelled(x=np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32))
    body = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, bias_initializer="ones")])
    descent = Descent(epochs=300, batch_size=50, learning_rate=0.02, drop_after=200, penalty=1.0)
    VICReg(units=(4,), descent=descent).pretrain(x, network=body)
    with pytest.raises(
        ValueError, match=r"VICReg, embeddings: expected different ones .* \(collapse\). Train with a low"
    ):
        VICReg(variance=0.0, covariance=0.0, units=(4,), descent=descent).pretrain(x, network=body)


@pytest.mark.parametrize("method", [SimCLR, VICReg])
def test_batches_of_one_have_no_other_examples(method):
    with pytest.raises(ValueError, match=r"Descent.batch_size: expected 2 or more, received 1"):
        method(descent=Descent(batch_size=1))
