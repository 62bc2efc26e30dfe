"""Sparse coding of vectors and of patches; its encoder leaves Keras."""

import keras
import numpy as np
import pytest
from sklearn.decomposition import sparse_encode

from zsltf.data.unlabelled import Unlabelled
from zsltf.selftaught.sparse_coding import SparseCoding
from zsltf.training.encoders import frame


def test_an_embedding_is_the_lasso_of_the_framed_example():
    x = (np.random.default_rng(0).normal(size=(80, 6)) @ np.diag([1, 2, 3, 1, 1, 1]) + 4).astype(np.float32)
    encoder = SparseCoding(atoms=10, penalty=0.2, iterations=500, epochs=3).pretrain(Unlabelled(x=x))
    dictionary = encoder.get_layer("sparse_code").get_weights()[0].astype(float)
    np.testing.assert_allclose(np.linalg.norm(dictionary, axis=1), 1, rtol=1e-5)
    mean, scale = frame(x)
    framed = ((x - mean) * scale).astype(float)
    expected = sparse_encode(framed, dictionary, algorithm="lasso_cd", alpha=0.2 * 6**0.5, max_iter=10_000)
    np.testing.assert_allclose(encoder(x), expected, atol=5e-3)
    assert 0.1 < (np.asarray(encoder(x)) == 0).mean() < 0.95


def images(count=40):
    return np.random.default_rng(0).normal(size=(count, 12, 12, 3)).astype(np.float32)


def patches(**changes):
    method = SparseCoding(**{"atoms": 8, "patch": 4, "stride": 2, "epochs": 2, "iterations": 20, **changes})
    return method.pretrain(Unlabelled(x=images()))


def test_images_are_coded_patch_by_patch_and_averaged_over_quarters():
    encoder = patches()
    assert encoder.output_shape == (None, 4 * 2 * 8)
    codes = keras.Model(encoder.input, encoder.get_layer("sparse_code").output)(images(3)).numpy()
    assert codes.shape == (3, 5, 5, 8)
    first = codes[:, :3, :3]
    parts = np.concatenate([np.maximum(first, 0), np.maximum(-first, 0)], axis=-1).mean(axis=(1, 2))
    np.testing.assert_allclose(encoder(images(3)).numpy()[:, :16], parts, atol=1e-5)


def test_patches_are_whitened():
    encoder = patches()
    white = keras.Model(encoder.input, encoder.get_layer("whiten").output)(images()).numpy().reshape(-1, 48)
    covariance = np.cov(white, rowvar=False)
    assert np.diag(covariance).mean() == pytest.approx(1, abs=0.15)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.2


def test_images_smaller_than_two_patches_are_refused():
    with pytest.raises(
        ValueError, match=r"patches: expected two or more each way, received 1 x 1. Lower patch and str"
    ):
        patches(patch=12)
