import keras
import numpy as np
import pytest

from zsltf.training.optimizers import SGD, AdamW, OptimizerOptions, kernels

NAMES = ("kernel", "bias")


def variables(seed=0):
    rng = np.random.default_rng(seed)
    made = [
        keras.Variable(rng.normal(size=shape).astype(np.float32), name=name)
        for name, shape in zip(NAMES, [(3, 2), (2,)], strict=True)
    ]
    return made, [np.array(variable) for variable in made]


def gradients(steps, seed=1):
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=(3, 2)).astype(np.float32), rng.normal(size=2).astype(np.float32)] for _ in range(steps)]


def build(options, learning_rate=0.1, rates=(), decayed=(), born=()):
    return options.build(learning_rate, rates=dict(rates), decayed=decayed, born=dict(born))


def run(optimizer, steps=5):
    """The two variables after some steps."""
    made, _ = variables()
    optimizer.build(made)
    for gradient in gradients(steps):
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradient])
    return [np.array(variable) for variable in made]


def numpy_adam(value, gradient_list, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Kingma & Ba's algorithm in the order of the efficient form, in float32."""
    m = v = np.zeros_like(value)
    for t, g in enumerate(gradient_list, 1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        power = np.float32(beta_2) ** np.float32(t), np.float32(beta_1) ** np.float32(t)
        value = value - rate * np.sqrt(1 - power[0]) / (1 - power[1]) * m / (np.sqrt(v) + epsilon)
    return value


KERAS = [
    (OptimizerOptions(weight_decay=0.3), lambda: keras.optimizers.AdamW(0.1, weight_decay=0.3)),
    (
        OptimizerOptions(weight_decay=0.3, momentum=0.8, beta_2=0.9, epsilon=1e-3),
        lambda: keras.optimizers.AdamW(0.1, weight_decay=0.3, beta_1=0.8, beta_2=0.9, epsilon=1e-3),
    ),
    (
        OptimizerOptions(optimizer="sgd", weight_decay=0.3, nesterov=True),
        lambda: keras.optimizers.SGD(0.1, weight_decay=0.3, momentum=0.9, nesterov=True),
    ),
    (
        OptimizerOptions(optimizer="sgd", weight_decay=0.3, momentum=0, clip_norm=0.5),
        lambda: keras.optimizers.SGD(0.1, weight_decay=0.3, global_clipnorm=0.5),
    ),
]


@pytest.mark.parametrize(("options", "reference"), KERAS)
def test_with_equal_rates_and_everything_decayed_it_is_the_optimizer_of_keras(options, reference):
    for ours, theirs in zip(run(build(options, decayed=NAMES)), run(reference()), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_a_variable_moves_as_with_its_own_learning_rate(name):
    options = OptimizerOptions(optimizer=name, weight_decay=0.3)
    ours = run(build(options, rates={"bias": 0.25}, decayed=NAMES))
    whole = run(build(options, decayed=NAMES))
    quarter = run(build(options, learning_rate=0.025, decayed=NAMES))
    np.testing.assert_array_equal(ours[0], whole[0])
    np.testing.assert_allclose(ours[1], quarter[1], rtol=1e-6)
    assert np.abs(ours[1] - whole[1]).min() > 1e-2


def test_a_schedule_gives_the_rate_of_every_step():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0, 1], [0.1, 0.2, 0.0])
    optimizer = build(OptimizerOptions(optimizer="sgd", momentum=0, weight_decay=0), schedule, rates={"bias": 0.5})
    after, before, steps = run(optimizer), variables()[1], gradients(5)
    for i, rate in enumerate((1.0, 0.5)):
        expected = before[i] - rate * (0.1 * steps[0][i] + 0.2 * steps[1][i])
        np.testing.assert_allclose(after[i], expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_only_what_is_named_decays_and_at_its_own_rate(name):
    made, before = variables()
    optimizer = build(
        OptimizerOptions(optimizer=name, weight_decay=0.3),
        rates={"kernel": 0.5},
        decayed=kernels(made),
        born={"kernel": 1},
    )
    optimizer.build(made)
    for _ in range(3):
        optimizer.apply([keras.ops.zeros_like(variable) for variable in made])
    np.testing.assert_allclose(made[0], before[0] * (1 - 0.1 * 0.5 * 0.3) ** 3, rtol=1e-6)
    np.testing.assert_array_equal(made[1], before[1])


def test_kernels_are_told_by_their_names():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.SeparableConv2D(2, 3, name="separable"),
            keras.layers.DepthwiseConv2D(3, name="depthwise"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="dense"),
        ],
        name="net",
    )
    ends = ("separable/depthwise_kernel", "separable/pointwise_kernel", "depthwise/kernel", "dense/kernel")
    assert kernels(model.trainable_variables) == tuple(f"net/{end}" for end in ends)


@pytest.mark.parametrize("born", [1, 4, 300])
def test_a_thawed_variable_takes_the_steps_of_a_fresh_adam(born):
    made, before = variables()
    optimizer = build(OptimizerOptions(weight_decay=0), born={"bias": born})
    optimizer.build(made)
    optimizer._iterations.assign(born)
    steps = gradients(6)
    for gradient in steps:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradient])
    np.testing.assert_allclose(made[1], numpy_adam(before[1], [g[1] for g in steps], 0.1), rtol=1e-5)
    unborn = numpy_adam(before[0], [g[0] for g in steps], 0.1)
    assert np.abs(np.array(made[0]) - unborn).max() > 0.01  # Keras alone is too fast


def test_birth_is_counted_in_batches_also_when_they_are_accumulated():
    made, before = variables()
    optimizer = build(OptimizerOptions(weight_decay=0, accumulate=3), born={"kernel": 8, "bias": 8})
    optimizer.build(made)
    optimizer._iterations.assign(8)  # 2 updates and 2 batches
    steps = gradients(4)
    for gradient in steps:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradient])
    means = [steps[0][1] / 3, (steps[1][1] + steps[2][1] + steps[3][1]) / 3]
    np.testing.assert_allclose(made[1], numpy_adam(before[1], means, 0.1), rtol=1e-5)


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(4, activation="tanh", name="a")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="b")(hidden))  # a Sequential's paths change when it reloads


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(16, 5)).astype(np.float32), rng.normal(size=(16, 2)).astype(np.float32)


def trained(options, batch_size, **settings):
    model = network()
    model.compile(build(options, **settings), "mse")
    model.fit(*data(), epochs=3, batch_size=batch_size, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_accumulated_batches_are_one_big_batch(name):
    big = trained(OptimizerOptions(optimizer=name, clip_norm=0.1), 8, decayed=("a/kernel",))
    small = trained(OptimizerOptions(optimizer=name, clip_norm=0.1, accumulate=4), 2, decayed=("a/kernel",))
    for one, other in zip(big.get_weights(), small.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_the_average_is_kept_apart_from_the_weights():
    ours, plain = trained(OptimizerOptions(ema=0.5), 16), trained(OptimizerOptions(), 16)
    for one, other in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_reloads_with_the_model_and_goes_on_as_before(tmp_path):
    model = trained(OptimizerOptions(ema=0.5), 8, rates={"a/kernel": 0.5}, decayed=("b/kernel",), born={"b/bias": 2})
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for net in (model, loaded):
        net.fit(*data(), batch_size=8, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_variables_of_one_path_are_refused():
    inner = [keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="dense")], name="twin") for _ in range(2)]
    variables = [v for model in inner for v in model.trainable_variables]
    with pytest.raises(
        ValueError, match=r"variables: expected a path of its own for each, received 'twin/dense/kernel' twice"
    ):
        build(OptimizerOptions()).build(variables)


@pytest.mark.parametrize("setting", [{"rates": {"kernal": 0.5}}, {"decayed": ["kernal"]}, {"born": {"kernal": 3}}])
def test_a_path_of_no_trained_variable_is_refused(setting):
    with pytest.raises(
        ValueError, match=r"rates, decayed and born: expected paths of trained variables, received 'kern"
    ):
        build(OptimizerOptions(), **setting).build(variables()[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"optimizer": "adam"},
            r"OptimizerOptions.optimizer: expected one of adamw, sgd, received 'adam'. Did you mean",
        ),
        ({"momentum": 1.0}, r"OptimizerOptions.momentum: expected a share in \[0, 1\), received 1"),
        ({"ema": 1.0}, r"OptimizerOptions.ema: expected a share in \[0, 1\), received 1"),
        ({"epsilon": 0.0}, r"OptimizerOptions.epsilon: expected a number > 0, received 0"),
        ({"weight_decay": -1.0}, r"OptimizerOptions.weight_decay: expected a number >= 0, received -1. 0 turns it off"),
        ({"clip_norm": float("nan")}, r"OptimizerOptions.clip_norm: expected a number >= 0, received nan"),
        ({"accumulate": 0}, r"OptimizerOptions.accumulate: expected a whole number >= 1, received 0"),
        ({"nesterov": True}, r"OptimizerOptions.nesterov: expected False with adamw, received True"),
    ],
)
def test_options_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        OptimizerOptions(**settings)


def test_the_options_name_the_type():
    assert isinstance(build(OptimizerOptions()), AdamW)
    assert isinstance(build(OptimizerOptions(optimizer="sgd")), SGD)
