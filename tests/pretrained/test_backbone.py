import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.backbones.conv4 import conv4
from zsltf.backbones.hub import hub
from zsltf.backbones.keras_model import keras_model
from zsltf.pretrained.backbone import stages_by_prefix
from zsltf.training.penalties import constrain

LARGEST = keras.constraints.MaxNorm(0.5)


def inner():
    """A residual block as a model of its own, one layer of which wraps another."""
    maps = keras.Input((8, 8, 4))
    deep = keras.layers.TimeDistributed(keras.layers.Dense(4, name="wrapped"), name="rows")(maps)
    return keras.Model(maps, keras.layers.Add(name="sum")([maps, deep]), name="inner")


def composed():
    """Layers within layers: a nested model called twice, a Sequential, attention over positions."""
    keras.utils.set_random_seed(0)
    images, block = keras.Input((16, 16, 3)), inner()
    maps = keras.layers.SeparableConv2D(4, 3, strides=2, padding="same", name="stem")(images)
    maps = keras.Sequential([keras.layers.BatchNormalization(), keras.layers.ReLU()], name="norm")(block(block(maps)))
    attended = keras.layers.MultiHeadAttention(2, 4, attention_axes=(1, 2), name="attention")(maps, maps)
    return keras_model(keras.Model(images, maps + 2 * attended, name="composed"), scale=(255.0,) * 3)


def images(size, count=5):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3)).astype(np.uint8)


def maps_of(backbone, pixels):
    return tf.cast(backbone.model(backbone.preprocess(pixels)), tf.float32).numpy()


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize(("policy", "digits"), [("mixed_bfloat16", 8), ("mixed_float16", 11)])
def test_another_precision_is_as_near_as_its_digits(policy, digits):
    for backbone in (conv4(None, size=32), composed()):
        pixels = images(backbone.preprocess.size)
        copy = backbone.with_precision(policy)
        error = relative_error(maps_of(copy, pixels), maps_of(backbone, pixels))
        assert 2.0 ** -(digits + 4) < error < 2.0 ** -(digits - 4), backbone.name  # neither equal nor wrong


def test_every_layer_computes_in_it_and_keeps_its_weights_in_float32():
    backbone = composed()
    copy = backbone.with_precision("mixed_bfloat16")
    inside = {layer.name: layer for layer in copy.model._flatten_layers(include_self=False)}
    assert {"stem", "wrapped", "rows", "sum", "attention", "query", "attention_output"} <= set(inside)
    odd = [n for n, layer in inside.items() if layer.compute_dtype != "bfloat16" and n not in ("inner", "norm")]
    assert [name for name in odd if not isinstance(inside[name], keras.layers.InputLayer)] == []
    assert {weight.dtype for weight in copy.model.weights} == {"float32"}
    for one, other in zip(copy.model.weights, backbone.model.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_copy_has_the_stages_and_shares_nothing():
    model = composed().model
    backbone = keras_model(model, stages=stages_by_prefix(model, ("stem", "inner", "norm")), scale=(255.0,) * 3)
    before = [np.array(weight) for weight in model.weights]
    copy = backbone.with_precision("mixed_bfloat16")
    for weight in copy.model.weights:
        weight.assign(weight + 1)
    assert (copy.stages, copy.preprocess, copy.name) == (backbone.stages, backbone.preprocess, backbone.name)
    for one, other in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_to_and_fro_is_the_same_network():
    backbone = composed()
    again = backbone.with_precision("mixed_bfloat16").with_precision("float32")
    assert again.fingerprint == backbone.fingerprint
    assert backbone.with_precision("mixed_bfloat16").fingerprint != backbone.fingerprint
    np.testing.assert_array_equal(maps_of(again, images(16)), maps_of(backbone, images(16)))


def test_constraints_of_nested_and_of_depthwise_kernels_are_kept():
    """The configuration of neither layer holds them."""
    keras.utils.set_random_seed(0)
    pixels = keras.Input((8, 8, 3))
    maps = keras.layers.DepthwiseConv2D(3, name="depthwise")(pixels)
    maps = keras.layers.MultiHeadAttention(2, 4, attention_axes=(1, 2), name="attention")(maps, maps)
    backbone = keras_model(keras.Model(pixels, maps, name="constrained"))
    assert constrain(backbone.model, "depthwise|query", LARGEST) == ("depthwise", "query")
    copy = backbone.with_precision("mixed_bfloat16").model
    held = {weight.path for weight in copy.weights if weight.constraint is LARGEST}
    assert held == {"depthwise/kernel", "attention/query/kernel"}


def test_a_layer_with_a_precision_of_its_own_is_refused(tmp_path):
    module = tf.Module()
    module.kernel = tf.Variable(tf.random.normal((3, 3, 3, 4)))

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 3), tf.float32)])
    def call(pixels):
        return tf.nn.conv2d(pixels, module.kernel, 1, "VALID")

    module.__call__ = call
    tf.saved_model.save(module, str(tmp_path), signatures=call)
    message = (
        r"hub under mixed_bfloat16: expected layers that follow a dtype policy, received saved_model, which can't\. "
        r"Leave the precision at float32\."
    )
    with pytest.raises(ValueError, match=message):
        hub(tmp_path).with_precision("mixed_bfloat16")


def test_a_layer_that_nothing_can_make_again_is_refused():
    class Unregistered(keras.layers.Dense):
        pass

    pixels = keras.Input((8, 8, 3))
    backbone = keras_model(keras.Model(pixels, Unregistered(4)(pixels), name="own"))
    with pytest.raises(ValueError, match=r"own under mixed_float16: expected layers that can be made from their conf"):
        backbone.with_precision("mixed_float16")
