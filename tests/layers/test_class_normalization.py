import keras
import numpy as np
import pytest

from zsltf.layers.class_normalization import ClassNormalization

ROWS = (5 + 3 * np.random.default_rng(0).normal(size=(40, 6))).astype(np.float32)


def test_it_is_batch_normalisation_over_classes_without_scale_and_offset():
    ours, theirs = (
        ClassNormalization(),
        keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, center=False, scale=False),
    )
    for _ in range(3):
        np.testing.assert_allclose(ours(ROWS, training=True), theirs(ROWS, training=True), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(ours(ROWS[:2]), theirs(ROWS[:2]), rtol=1e-3, atol=1e-4)
    assert not ours.trainable_weights


def test_the_published_code_divides_by_the_variance():
    centred = ROWS - ROWS.mean(axis=0)
    received = ClassNormalization(by="variance")(ROWS, training=True)
    np.testing.assert_allclose(received, centred / ROWS.var(axis=0), rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match=r"by: expected one of deviation, variance, received 'std'"):
        ClassNormalization(by="std")
