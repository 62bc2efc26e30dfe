import keras
import numpy as np
import pytest

from zsltf.training.optimizer_state import optimizer_state, restore_optimizer_state
from zsltf.training.optimizers import OptimizerOptions


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(4, activation="tanh", name="a")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="b")(hidden))


def compiled(model, options, learning_rate=0.05, born=()):
    """Compile with a new optimizer over what is trainable now."""
    trained = {variable.path for variable in model.trainable_variables}
    rates, decayed = dict.fromkeys(trained & {"a/bias"}, 0.5), trained & {"a/kernel"}
    optimizer = options.build(learning_rate, rates=rates, decayed=decayed, born=dict(born))
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    return model.optimizer


def fit(model, epochs=1):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 5)).astype(np.float32), rng.normal(size=(16, 2)).astype(np.float32)
    model.fit(x, y, epochs=epochs, batch_size=4, shuffle=False, verbose=0)


def recompiled(model, options, **settings):
    """A new phase: the same variables with what the optimizer remembers."""
    state = optimizer_state(model.optimizer)
    optimizer = compiled(model, options, **settings)
    restore_optimizer_state(optimizer, state)
    return optimizer


EVERY = [
    OptimizerOptions(ema=0.9),
    OptimizerOptions(optimizer="sgd", nesterov=True, ema=0.9),
    OptimizerOptions(accumulate=3, ema=0.9),  # 4 batches an epoch: the fourth waits in the accumulators
    OptimizerOptions(optimizer="sgd", momentum=0),
]


@pytest.mark.parametrize("options", EVERY)
def test_a_recompile_in_between_changes_nothing(options):
    straight, broken = network(), network()
    compiled(straight, options)
    fit(straight, epochs=2)
    compiled(broken, options)
    fit(broken)
    recompiled(broken, options)
    fit(broken)
    for one, other in zip(straight.get_weights(), broken.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    expected, found = optimizer_state(straight.optimizer), optimizer_state(broken.optimizer)
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)


def test_half_precision_goes_on_with_its_loss_scale():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        test_a_recompile_in_between_changes_nothing(OptimizerOptions(ema=0.9))
        model = network()
        optimizer = compiled(model, OptimizerOptions())
        fit(model)
        state = optimizer_state(optimizer)
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    assert (state["loss_scale"], state["loss_scale_steps"]) == (2**15, 4)


def test_keys_are_the_kind_and_the_path():
    model = network()
    model.get_layer("a").trainable = False
    optimizer = compiled(model, OptimizerOptions(ema=0.9, accumulate=2))
    kinds = ("momentum", "velocity", "average", "gradient_accumulator")
    slots = {f"AdamW/{kind}/b/{name}" for kind in kinds for name in ("kernel", "bias")}
    assert optimizer_state(optimizer).keys() == slots | {"iterations", "learning_rate"}


def test_the_state_is_a_copy():
    model = network()
    compiled(model, OptimizerOptions(ema=0.9))
    fit(model)
    state = optimizer_state(model.optimizer)
    before = {key: value.copy() for key, value in state.items()}
    fit(model)
    for key in state:
        np.testing.assert_array_equal(state[key], before[key])


def test_a_thawed_variable_starts_fresh_and_the_others_go_on():
    model = network()
    model.get_layer("a").trainable = False
    compiled(model, OptimizerOptions(ema=0.9))
    fit(model)
    before = optimizer_state(model.optimizer)
    model.get_layer("a").trainable = True
    after = optimizer_state(recompiled(model, OptimizerOptions(ema=0.9), learning_rate=0.25))
    assert after["iterations"] == 4
    assert after["learning_rate"] == np.float32(0.25)  # the phase's own
    for key in before.keys() - {"learning_rate"}:
        np.testing.assert_array_equal(after[key], before[key])
    for name in ("kernel", "bias"):
        np.testing.assert_array_equal(after[f"AdamW/momentum/a/{name}"], 0)
        np.testing.assert_array_equal(after[f"AdamW/velocity/a/{name}"], 0)
        np.testing.assert_array_equal(after[f"AdamW/average/a/{name}"], getattr(model.get_layer("a"), name))


def test_a_thawed_variable_trains_as_with_a_fresh_optimizer():
    fresh, thawed = network(), network()
    for model in (fresh, thawed):
        model.get_layer("a").trainable = False
        compiled(model, OptimizerOptions())
        fit(model, epochs=3)
        model.get_layer("b").trainable = False
        model.get_layer("a").trainable = True
    compiled(fresh, OptimizerOptions())
    recompiled(thawed, OptimizerOptions(), born={f"a/{name}": 12 for name in ("kernel", "bias")})
    for model in (fresh, thawed):
        fit(model)
    for one, other in zip(fresh.get_weights(), thawed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_resuming_restores_the_learning_rate_too():
    model, resumed = network(), network()
    optimizer = compiled(model, OptimizerOptions())
    fit(model)
    optimizer.learning_rate = 0.001  # as a plateau does
    other = compiled(resumed, OptimizerOptions())
    restore_optimizer_state(other, optimizer_state(optimizer), strict=True)
    assert float(other.learning_rate) == pytest.approx(0.001)
    assert int(other.iterations) == 4


def test_resuming_with_something_missing_or_left_over_is_refused():
    model = network()
    optimizer = compiled(model, OptimizerOptions())
    state = optimizer_state(optimizer)
    missing = {key: value for key, value in state.items() if key != "AdamW/velocity/b/bias"}
    with pytest.raises(ValueError, match=r"optimizer state: .* received 'AdamW/velocity/b/bias' in the optimizer only"):
        restore_optimizer_state(optimizer, missing, strict=True)
    with pytest.raises(
        ValueError, match=r"received 'AdamW/average/c' in the state only. Resume with the same settings"
    ):
        restore_optimizer_state(optimizer, {**state, "AdamW/average/c": np.zeros(1)}, strict=True)
    other = compiled(network(), OptimizerOptions(optimizer="sgd"))
    with pytest.raises(ValueError, match="'AdamW/momentum/a/bias' in the state only"):
        restore_optimizer_state(other, state, strict=True)


@pytest.mark.parametrize("strict", [False, True])
def test_another_shape_is_refused_before_anything_is_changed(strict):
    optimizer = compiled(network(), OptimizerOptions())
    state = {key: np.ones_like(value) for key, value in optimizer_state(optimizer).items()}
    state["AdamW/momentum/b/bias"] = np.ones(3)
    with pytest.raises(ValueError, match=r"'AdamW/momentum/b/bias': expected shape \(2,\), received shape \(3,\)"):
        restore_optimizer_state(optimizer, state, strict=strict)
    assert int(optimizer.iterations) == 0


def test_an_optimizer_without_variables_is_refused():
    optimizer = OptimizerOptions().build(0.1, rates={}, decayed=(), born={})
    with pytest.raises(
        ValueError, match=r"optimizer: expected a built one.* Call optimizer.build\(model.trainable_var"
    ):
        optimizer_state(optimizer)
