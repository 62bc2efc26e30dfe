import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from zsltf.closed import ClassScores
from zsltf.similarities.dot import Dot
from zsltf.training.penalties import Penalty, constrain, l2_sp, toward_start


def variables(**values):
    return [keras.Variable(np.array(value, np.float32), name=name) for name, value in values.items()]


def test_the_value_is_the_function_of_the_variables_without_the_weight():
    penalty = Penalty(name="largest", weight=0.5, function=lambda theta: ops.max(ops.abs(theta[0])) + ops.sum(theta[1]))
    value = penalty.value(variables(a=[[1, -3], [2, 0]], b=[1, 2]))
    assert value == 3 + 3
    assert value.dtype == "float32"


def test_starting_point_and_new_variables_are_kept_apart():
    drift, new = l2_sp({"old": np.array([1, 2, 3], np.float32), "frozen": np.ones(2)}, alpha=0.25, beta=0.5)
    theta = variables(old=[1, 4, 2], head=[[1, 2], [3, 4]], bias=[2])
    assert (drift.name, new.name) == ("l2_sp", "l2_new")
    assert (drift.weight, new.weight) == (0.25, 0.5)
    assert drift.value(theta) == 0 + 4 + 1
    assert new.value(theta) == 1 + 4 + 9 + 16 + 4
    assert drift.value(theta[1:]) == new.value(theta[:1]) == 0  # nothing of the kind is trained


def test_each_half_alone_knows_what_is_new():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="old")])
    theta = [*model.weights, *variables(head=[1, 2])]
    (drift,), (new,) = toward_start(model, 0.5, 0.0), toward_start(model, 0.0, 0.5)
    assert (drift.name, new.name) == ("l2_sp", "l2_new")
    assert (drift.value(theta), new.value(theta)) == (0, 5)
    assert toward_start(model, 0.0, 0.0) == []


def test_gradients_pull_to_the_starting_point():
    theta = variables(old=[1, 4], head=[3])
    drift, new = l2_sp({"old": np.zeros(2, np.float32)}, alpha=0.1, beta=0.2)
    with tf.GradientTape() as tape:
        loss = drift.weight * drift.value(theta) + new.weight * new.value(theta)
    pulls = tape.gradient(loss, [variable.value for variable in theta])
    np.testing.assert_allclose(pulls[0], [0.2, 0.8], rtol=1e-6)
    np.testing.assert_allclose(pulls[1], [1.2], rtol=1e-6)


def test_half_precision_variables_are_summed_in_single():
    start = {"old": np.zeros(40_000, np.float16)}
    (theta,) = (keras.Variable(np.full(40_000, 2.0), dtype="float16", name="old"),)
    assert l2_sp(start, alpha=1.0)[0].value([theta]) == 160_000  # float16 ends at 65504


def test_the_starting_point_is_no_constant_of_the_graph():
    start, theta = np.arange(5000, dtype=np.float32), variables(old=np.ones(5000))
    drift, _ = l2_sp({"old": start}, alpha=1.0)
    traced = tf.function(lambda: drift.value(theta)).get_concrete_function()
    assert len(traced.graph.as_graph_def().SerializeToString()) < start.nbytes
    np.testing.assert_allclose(traced(), np.square(start - 1).sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "l1 norm"}, r"Penalty.name: expected letters, digits and _, received 'l1 norm'"),
        ({"weight": -1.0}, r"Penalty 'p'.weight: expected a number >= 0, received -1. 0 turns it off"),
        ({"weight": float("inf")}, r"Penalty 'p'.weight: expected a number >= 0, received inf"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Penalty(**{"name": "p", "weight": 1.0, "function": len, **settings})


def test_a_function_without_a_scalar_is_refused():
    penalty = Penalty(name="p", weight=1.0, function=lambda theta: ops.square(theta[0]))
    with pytest.raises(
        ValueError, match=r"Penalty 'p': expected a scalar, received shape \(2,\). Sum over the elements"
    ):
        penalty.value(variables(a=[1, 2]))


def network():
    keras.utils.set_random_seed(0)
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, name="body")], name="inner")
    inputs = keras.Input((4,))
    hidden = keras.layers.BatchNormalization(name="head_norm")(inner(inputs))
    return keras.Model(inputs, keras.layers.Dense(3, name="head_scores")(hidden))


@pytest.mark.parametrize(
    ("pattern", "names"), [("head.*", ("head_scores",)), ("body", ("body",)), ("b.*|head_s.*", ("body", "head_scores"))]
)
def test_constrained_kernels_stay_within_their_bound_and_the_others_do_not(pattern, names, tmp_path):
    model = network()
    assert sorted(constrain(model, pattern, keras.constraints.MaxNorm(0.1))) == sorted(names)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(16, 4)), rng.normal(size=(16, 3)), verbose=0)
    model.save(tmp_path / "model.keras")
    for net in (model, keras.saving.load_model(tmp_path / "model.keras")):
        for layer in (net.get_layer("inner").get_layer("body"), net.get_layer("head_scores")):
            norms = np.linalg.norm(layer.kernel.numpy(), axis=0)
            assert (norms.max() < 0.1 + 1e-5) == (layer.name in names)
            assert isinstance(layer.kernel_constraint, keras.constraints.MaxNorm) == (layer.name in names)


def test_a_pattern_without_a_layer_is_refused_with_the_layers():
    with pytest.raises(
        ValueError, match=r"expected the name of one of .*, received 'head'. Give a regular expr"
    ) as error:
        constrain(network(), "head", keras.constraints.NonNeg())
    assert "body" in str(error.value)
    assert "head_scores" in str(error.value)
    assert "head_norm" not in str(error.value)


def test_a_layer_of_ones_own_with_a_kernel_is_constrained_too():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, ClassScores(3, Dot(), name="scores")(inputs))
    constrain(model, "scores", keras.constraints.MaxNorm(0.1, axis=1))  # a row a class
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
    assert np.linalg.norm(model.get_layer("scores").kernel.numpy(), axis=1).max() < 0.1 + 1e-5
