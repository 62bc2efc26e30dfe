import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.losses.uncertainty import UncertaintyWeights


def test_each_loss_is_weighted_by_its_variance():
    layer = UncertaintyWeights(3)
    losses = [tf.constant(loss) for loss in (1.0, 2.0, 3.0)]
    assert [float(loss) for loss in layer(losses)] == [1, 2, 3]
    s = np.array([0.5, -1.0, 2.0])
    layer.set_weights([s])
    np.testing.assert_allclose(layer(losses), [1, 2, 3] * np.exp(-s) + s, rtol=1e-6)


def test_training_finds_the_logarithms_of_the_losses():
    layer, losses = UncertaintyWeights(2), [tf.constant(0.2), tf.constant(5.0)]
    optimizer = keras.optimizers.SGD(0.3)
    for _ in range(100):
        with tf.GradientTape() as tape:
            total = tf.add_n(layer(losses))
        optimizer.apply_gradients(
            zip(tape.gradient(total, layer.trainable_variables), layer.trainable_variables, strict=True)
        )
    np.testing.assert_allclose(layer.log_variance, np.log([0.2, 5.0]), atol=1e-3)


def test_it_has_its_variable_from_the_start_under_a_lasting_path():
    assert [variable.path for variable in UncertaintyWeights(2).variables] == ["uncertainty_weights/log_variance"]
    assert [variable.path for variable in UncertaintyWeights(2).variables] == ["uncertainty_weights/log_variance"]


def test_it_stays_in_single_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        (loss,) = UncertaintyWeights(1)([tf.constant(1e5)])  # float16 ends at 65504
    finally:
        keras.config.set_dtype_policy("float32")
    assert loss == 1e5


def test_it_serialises():
    config = keras.saving.serialize_keras_object(UncertaintyWeights(3, name="tasks"))
    again = keras.saving.deserialize_keras_object(config, safe_mode=True)
    assert (again.num_tasks, again.name) == (3, "tasks")


def test_bad_numbers_of_losses_are_refused():
    with pytest.raises(ValueError, match=r"UncertaintyWeights.num_tasks: expected a number > 0, received 0"):
        UncertaintyWeights(0)
    with pytest.raises(ValueError, match="zip"):
        UncertaintyWeights(2)([tf.constant(1.0)])
