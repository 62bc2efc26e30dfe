import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.training.batch_norm import batch_norm_layers, freeze, mixed_batches, recalibrate


def block(name, inputs):
    hidden = keras.layers.Dense(4, name=f"{name}_dense")(inputs)
    hidden = keras.layers.BatchNormalization(name=f"{name}_norm", momentum=0.9)(hidden)
    return keras.layers.Dropout(0.5, name=f"{name}_drop")(keras.layers.ReLU(name=f"{name}_relu")(hidden))


def network():
    """Two nested models and a head, each with BatchNormalization, in the order below_norm, inner_norm, head_norm."""
    keras.utils.set_random_seed(0)
    deep_inputs, inner_inputs, inputs = keras.Input((3,)), keras.Input((3,)), keras.Input((3,))
    below = keras.Model(deep_inputs, block("below", deep_inputs), name="below")
    inner = keras.Model(inner_inputs, block("inner", below(inner_inputs)), name="inner")
    model = keras.Model(inputs, keras.layers.Dense(2, name="out")(block("head", inner(inputs))))
    rng = np.random.default_rng(1)
    for layer in named(model).values():
        layer.set_weights([rng.uniform(0.5, 2, size=4) for _ in range(4)])
    return model


def named(model):
    return {layer.name: layer for layer in batch_norm_layers(model)}


def images(n=22):
    return np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)


def statistics(model):
    return {name: [layer.moving_mean.numpy(), layer.moving_variance.numpy()] for name, layer in named(model).items()}


def numpy_statistics(model, x, sizes, measured):
    """Each measured layer's mean batch statistics, the forward pass written in float64."""
    flat = {layer.name: layer for layer in model._flatten_layers() if layer.weights}
    found = {name: [] for name in measured}
    for batch in np.split(x.astype(np.float64), np.cumsum(sizes)[:-1]):
        hidden = batch
        for name in ("below", "inner", "head"):
            kernel, bias = flat[f"{name}_dense"].get_weights()
            gamma, beta, mean, variance = flat[f"{name}_norm"].get_weights()
            linear = hidden @ kernel + bias
            if f"{name}_norm" in measured:
                mean, variance = linear.mean(axis=0), linear.var(axis=0)
                found[f"{name}_norm"].append((mean, variance))
            hidden = np.maximum((linear - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0)
    return {name: np.average(values, axis=0, weights=sizes) for name, values in found.items()}


def test_nested_layers_are_found_once():
    model = network()
    assert sorted(named(model)) == ["below_norm", "head_norm", "inner_norm"]
    assert len(batch_norm_layers(model)) == 3
    twice = keras.Input((3,))
    shared = keras.Model(twice, keras.layers.Add()([model(twice), model(2 * twice)]))
    assert len(batch_norm_layers(shared)) == 3


def test_frozen_layers_stay_bit_equal_in_fit_and_the_others_do_not():
    model = network()
    freeze([named(model)["below_norm"], named(model)["head_norm"]])
    before = {name: layer.get_weights() for name, layer in named(model).items()}
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(images(), np.ones((22, 2)), verbose=0)
    for name, layer in named(model).items():
        still = [np.array_equal(one, other) for one, other in zip(layer.get_weights(), before[name], strict=True)]
        assert all(still) if name != "inner_norm" else not any(still)


ALL = ("below_norm", "inner_norm", "head_norm")


@pytest.mark.parametrize("measured", [ALL, ("inner_norm",), ("below_norm", "head_norm")])
@pytest.mark.parametrize("sizes", [[8, 8, 6], [22], [1, 20, 1]])
def test_statistics_are_the_mean_of_those_of_the_batches(measured, sizes):
    model, x = network(), images()
    before = statistics(model)
    expected = numpy_statistics(model, x, sizes, measured)
    batches = np.split(x, np.cumsum(sizes)[:-1])
    recalibrate(model, batches, [named(model)[name] for name in measured])
    for name, found in statistics(model).items():
        for one, other in zip(found, expected.get(name, before[name]), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_first_layers_mean_is_that_of_all_images():
    model, x = network(), images()
    recalibrate(model, tf.data.Dataset.from_tensor_slices((x, x)).batch(8), batch_norm_layers(model))
    kernel, bias = model.get_layer("inner").get_layer("below").get_layer("below_dense").get_weights()
    np.testing.assert_allclose(statistics(model)["below_norm"][0], (x @ kernel + bias).mean(axis=0), atol=1e-6)


def test_nothing_but_the_statistics_changes():
    model, x = network(), images()
    frozen = named(model)["inner_norm"]
    freeze([frozen])
    moving = {id(v) for layer in batch_norm_layers(model) for v in (layer.moving_mean, layer.moving_variance)}
    before = [(variable, np.array(variable)) for variable in model.variables if id(variable) not in moving]
    expected = numpy_statistics(model, x, [22], ALL)
    recalibrate(model, [x], batch_norm_layers(model))
    for one, other in zip(statistics(model)["inner_norm"], expected["inner_norm"], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)  # though it is frozen
    for variable, value in before:  # dropout's counters included
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    assert {layer.momentum for layer in batch_norm_layers(model)} == {0.9}
    assert [layer.trainable for layer in named(model).values() if layer is not frozen] == [True, True]
    assert not frozen.trainable
    measured = statistics(model)
    model(x, training=False)
    for name, found in statistics(model).items():  # and the layers are back in inference
        np.testing.assert_array_equal(found, measured[name])


def test_a_model_that_trains_on_after_it_updates_as_usual(tmp_path):
    asked, plain = network(), network()
    recalibrate(asked, [images()], batch_norm_layers(asked))
    for name, (mean, variance) in statistics(asked).items():
        named(plain)[name].moving_mean.assign(mean)
        named(plain)[name].moving_variance.assign(variance)
    for model in (asked, plain):
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.fit(images(), np.ones((22, 2)), verbose=0, shuffle=False)
    for one, other in zip(asked.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    asked.save(tmp_path / "model.keras")


def test_everything_is_put_back_after_an_error():
    model = network()
    before = model.get_weights()

    def broken():
        yield images()
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        recalibrate(model, broken(), batch_norm_layers(model))
    assert {layer.momentum for layer in batch_norm_layers(model)} == {0.9}
    assert not any("call" in vars(layer) for layer in batch_norm_layers(model))
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_batch_is_refused():
    model = network()
    before = statistics(model)
    with pytest.raises(ValueError, match=r"recalibrate.batches: expected one batch or more, received none"):
        recalibrate(model, [], batch_norm_layers(model))
    for name, found in statistics(model).items():
        np.testing.assert_array_equal(found, before[name])


def test_renormalisation_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(renorm=True, name="again")])
    with pytest.raises(ValueError, match=r"layer 'again': expected plain batch normalisation, received renorm=True"):
        recalibrate(model, [images()], batch_norm_layers(model))


def test_batches_of_examples_that_come_class_by_class_are_mixed():
    x = np.repeat(np.arange(3, dtype=np.float32), 100)[:, None]
    batches = list(mixed_batches(x, 128))
    assert [len(batch) for batch in batches] == [100, 100, 100]
    np.testing.assert_array_equal(np.sort(np.concatenate(batches), axis=0), x)
    assert all(batch.var() > 0.8 * x.var() for batch in batches)
