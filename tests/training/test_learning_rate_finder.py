import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.training.learning_rate_finder import LearningRateRange, find_learning_rate
from zsltf.training.learning_rates import learning_rate_schedule
from zsltf.training.optimizer_state import optimizer_state
from zsltf.training.optimizers import OptimizerOptions


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    hidden = keras.layers.BatchNormalization(name="norm")(keras.layers.Dense(8, activation="relu", name="a")(inputs))
    return keras.Model(inputs, keras.layers.Dense(3, name="b")(keras.layers.Dropout(0.5, name="drop")(hidden)))


def data(n=32):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 5)).astype(np.float32)
    return x, (x[:, :3].argmax(axis=1)).astype(np.int32)


def batches():
    return tf.data.Dataset.from_tensor_slices(data()).batch(8)


def compiled(optimizer=None):
    model = network()
    model.compile(
        optimizer or keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return model


def fit(model):
    return model.fit(*data(), batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"]


def ours(learning_rate=0.01, born=5):
    return OptimizerOptions(ema=0.9).build(
        learning_rate, rates={"a/kernel": 0.5}, decayed=("b/kernel",), born={"b/kernel": born}
    )


OPTIMIZERS = [
    lambda: keras.optimizers.Adam(0.01),
    lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), momentum=0.9),
    ours,
    lambda: ours(learning_rate_schedule("cosine", peak=0.1, steps=40)),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on_as_if_it_had_not_been_asked(optimizer):
    asked, plain = compiled(optimizer()), compiled(optimizer())
    assert fit(asked) == fit(plain)
    before = [np.array(variable) for variable in asked.variables]
    own = asked.optimizer
    swept = find_learning_rate(asked, batches(), steps=12)
    assert len(swept.rates) > 1
    assert asked.optimizer is own
    for variable, value in zip(asked.variables, before, strict=True):  # dropout's counter included
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    assert any("seed" in variable.path for variable in asked.variables)
    assert fit(asked) == fit(plain)
    for one, other in zip(asked.variables, plain.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(own.variables, plain.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_variable_is_as_old_as_the_sweep():
    late, early = (find_learning_rate(compiled(ours(born=born)), batches(), steps=12) for born in (5, 0))
    np.testing.assert_array_equal(late.losses, early.losses)


def test_everything_is_put_back_after_an_error_too():
    model = compiled(ours())
    before, own = model.get_weights(), model.optimizer

    def broken():
        yield data()
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        find_learning_rate(model, broken())
    assert model.optimizer is own
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_half_precision_keeps_its_loss_scale():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled(ours())
        fit(model)
        before = optimizer_state(model.optimizer)
        assert find_learning_rate(model, batches(), steps=12).losses.min() > 0
    finally:
        keras.config.set_dtype_policy("float32")
    after = optimizer_state(model.optimizer)
    for key, value in before.items():
        np.testing.assert_array_equal(after[key], value)


def quadratic(curvature):
    """One weight w from 1, loss curvature * w^2, plain gradient descent: it diverges above a rate of 1 / curvature."""
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(), "mse")
    return model, [(np.full((4, 1), np.sqrt(curvature), np.float32), np.zeros((4, 1), np.float32))]


def test_the_losses_are_those_of_gradient_descent_at_these_rates():
    model, batch = quadratic(4.0)
    swept = find_learning_rate(model, batch, lowest=1e-3, highest=0.1, steps=20)
    w, mean, expected = 1.0, 0.0, []
    for i, rate in enumerate(np.geomspace(1e-3, 0.1, 20)):
        mean = 0.9 * mean + 0.1 * 4 * w**2
        expected.append(mean / (1 - 0.9 ** (i + 1)))
        w -= rate * 8 * w
    np.testing.assert_allclose(swept.losses, expected, rtol=1e-4)
    np.testing.assert_allclose(swept.rates, np.geomspace(1e-3, 0.1, 20))


@pytest.mark.parametrize("curvature", [1.0, 100.0])
def test_the_suggestion_trains_and_the_sweep_ends_where_training_diverges(curvature):
    model, batch = quadratic(curvature)
    swept = find_learning_rate(model, batch, lowest=1e-5, highest=1e3)
    assert len(swept.rates) < 100
    assert 0.01 / curvature < swept.suggestion < 1 / curvature < swept.rates[-1] < 100 / curvature
    assert swept.losses[-1] > 4 * swept.losses.min() >= swept.losses[-2]


def test_the_suggestion_is_the_steepest_point_before_the_lowest():
    rates = np.geomspace(1e-4, 1, 5)
    swept = LearningRateRange(rates=rates, losses=np.array([3.0, 2.9, 1.5, 1.4, 1.6]))
    assert swept.suggestion == pytest.approx(1e-3)


def test_a_loss_below_zero_is_no_divergence():
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(), lambda y, scores: keras.ops.mean(keras.ops.square(scores)) - 5.0)
    swept = find_learning_rate(model, [(np.ones((4, 1)), np.zeros((4, 1)))], lowest=1e-3, highest=0.1, steps=20)
    assert len(swept.losses) == 20
    assert swept.losses.max() < 0


def test_a_loss_that_never_falls_gives_no_suggestion():
    for losses in ([1.0, 1.5, 5.0], [1.0, 1.0, 1.0]):
        swept = LearningRateRange(rates=np.geomspace(1e-3, 1, 3), losses=np.array(losses))
        assert swept.suggestion is None


def test_a_loss_that_is_not_finite_ends_the_sweep():
    model, [(x, y)] = quadratic(1.0)
    swept = find_learning_rate(model, [(x, y), (x, y), (x * np.nan, y)])
    assert len(swept.losses) == 2
    with pytest.raises(
        ValueError, match="find_learning_rate: expected a finite loss, received none at the first batch"
    ):
        find_learning_rate(model, [(x * np.nan, y)])
    np.testing.assert_array_equal(model.get_weights(), [[[1]]])


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_model_that_stops_at_a_loss_that_is_not_finite_ends_the_sweep_too(poison):
    model, [(x, y)] = quadratic(1.0)
    model.compile(keras.optimizers.SGD(), lambda y, scores: tf.debugging.check_numerics(tf.square(scores), "odd"))
    assert len(find_learning_rate(model, [(x, y), (x, y), (x * poison, y)]).losses) == 2


def test_other_errors_of_the_model_are_shown():
    model, [(x, y)] = quadratic(1.0)
    model.compile(keras.optimizers.SGD(), lambda y, scores: tf.gather(scores, tf.cast(y[:, 0], tf.int32) + 7))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"= 7 is (not in|out of range)"):
        find_learning_rate(model, [(x, y)])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lowest": 0.0}, r"find_learning_rate.lowest: expected a number > 0, received 0"),
        ({"lowest": 1.0, "highest": 0.1}, r"expected a rising range in 2 steps or more, received 1 to 0.1 in 100"),
        ({"steps": 1}, r"expected a rising range in 2 steps or more, received 1e-07 to 10 in 1"),
        ({"batches": []}, r"find_learning_rate.batches: expected one batch or more, again and again, received none"),
        ({"batches": iter([data(8)])}, r"find_learning_rate.batches: .* Give a tf.data.Dataset"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        find_learning_rate(compiled(), **{"batches": batches(), **settings})
