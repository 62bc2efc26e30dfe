"""Autoencoders against principal components, and with images."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression

from zsltf.data.unlabelled import Unlabelled
from zsltf.selftaught.autoencoder import Autoencoder
from zsltf.selftaught.denoising_autoencoder import DenoisingAutoencoder
from zsltf.training.descent import Descent
from zsltf.training.reconstruction import decoder


def examples():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 10)) + 0.3 * rng.normal(size=(200, 10)) + 5
    return Unlabelled(x=x.astype(np.float32))


def test_with_linear_layers_it_loses_as_much_as_principal_components():
    descent = Descent(epochs=2000, batch_size=200, learning_rate=0.02, penalty=0.0, drop_after=1600)
    encoder = Autoencoder(size=3, hidden=(), descent=descent).pretrain(examples())
    x = examples().x
    a = np.asarray(encoder(x))
    lost = np.mean((LinearRegression().fit(a, x).predict(a) - x) ** 2)
    pca = PCA(3).fit(x)
    least = np.mean((pca.inverse_transform(pca.transform(x)) - x) ** 2)
    assert least * 0.999 < lost < 1.01 * least


def test_without_mask_and_noise_the_denoising_one_is_the_plain_one_bit_for_bit():
    settings = {"size": 3, "hidden": (6,), "descent": Descent(epochs=3)}
    off = DenoisingAutoencoder(masked=0.0, noise=0.0, **settings).pretrain(examples())
    plain = Autoencoder(**settings).pretrain(examples())
    np.testing.assert_array_equal(off(examples().x), plain(examples().x))


def test_masks_and_noise_are_as_much_as_they_say():
    method = DenoisingAutoencoder(masked=0.3, noise=0.0)
    x = np.ones((50, 8, 8, 3), np.float32)
    found = np.asarray(method.corrupted(x, tf.constant([1, 2])))
    assert set(np.unique(found)) == {0, 1}
    assert np.ptp(found, axis=3).max() == 0  # a pixel is masked as a whole
    assert 0.28 < 1 - found.mean() < 0.32
    noisy = np.asarray(DenoisingAutoencoder(masked=0.0, noise=0.2).corrupted(x, tf.constant([1, 2]))) - x
    assert noisy.std() == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("shape", [(7,), (8, 8, 3), (20, 17, 1), (32, 32, 3)])
def test_a_decoder_gives_back_the_shape(shape):
    assert decoder(5, shape, (4,), 0).output_shape == (None, *shape)


def test_learns_to_tell_images_again():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(60, 1, 1, 3)), 8, axis=1).repeat(8, axis=2).astype(np.float32)
    layers = keras.layers
    network = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, 2), layers.Flatten(), layers.Dense(3)])
    method = Autoencoder(descent=Descent(epochs=60, batch_size=20, learning_rate=0.01))
    a = np.asarray(method.pretrain(Unlabelled(x=x), network=network)(x))
    colours = x[:, 0, 0]
    assert LinearRegression().fit(a, colours).score(a, colours) > 0.95
