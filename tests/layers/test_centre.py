import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zsltf.layers.centre import Centre, centring

FLOAT = st.floats(-1000, 1000, width=32)


@settings(deadline=None, max_examples=30)
@given(hnp.arrays(np.float32, (5, 3), elements=FLOAT), hnp.arrays(np.float64, 3, elements=FLOAT))
def test_it_subtracts_the_mean(x, mean):
    received = centring(mean)(x)
    np.testing.assert_allclose(
        received, x - mean.astype(np.float32), rtol=0, atol=1e-30
    )  # TensorFlow has no subnormals


def test_the_mean_of_what_is_centred_by_its_mean_is_zero():
    x = np.random.default_rng(0).normal(100, 3, (50, 4)).astype(np.float32)
    np.testing.assert_allclose(np.mean(centring(x.mean(axis=0))(x), axis=0), 0, atol=1e-4)


@pytest.mark.parametrize("shape", [(2, 3), (2, 5, 5, 3)])
def test_vectors_and_maps_are_centred_over_the_last_axis(shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(centring(np.array([1, 2, 3]))(x), x - np.array([1, 2, 3], np.float32))


def test_training_leaves_the_mean_alone():
    model = keras.Sequential([keras.Input((3,)), centring(np.array([1.0, 2, 3])), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0)
    layer = model.layers[0]
    assert layer.trainable_weights == []
    np.testing.assert_array_equal(layer.get_weights()[0], [1, 2, 3])


def test_gradients_pass_unchanged():
    x, layer = tf.constant([[1.0, 2, 3]]), centring(np.array([5.0, 6, 7]))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(layer(x) ** 2)
    np.testing.assert_allclose(tape.gradient(y, x), 2 * (x - [5.0, 6, 7]))


@pytest.mark.parametrize("shape", [(None, 3), (4, 3), (None, None, None, 3)])
def test_the_symbolic_shape_is_the_eager_one(shape):
    assert Centre()(keras.KerasTensor(shape)).shape == shape
    assert Centre().compute_output_shape(shape) == shape


def test_a_model_that_holds_it_is_saved_and_loaded(tmp_path):
    model = keras.Sequential([keras.Input((3,)), centring(np.array([1.5, -2, 3e-8]))])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded(x), model(x))
    np.testing.assert_array_equal(loaded.layers[0].get_weights()[0], np.array([1.5, -2, 3e-8], np.float32))


def test_a_mean_of_another_length_is_an_error():
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        centring(np.zeros(3))(np.zeros((2, 4), np.float32))
