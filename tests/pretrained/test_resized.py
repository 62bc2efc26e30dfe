"""Backbones at another input size, against keras.applications' own networks of that size."""

import keras
import numpy as np
import pytest

from zsltf.discovery import public
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.resized import resized

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("name", "network"), [("vgg16", "VGG16"), ("mobilenet_v2", "MobileNetV2")])
def test_it_is_the_network_that_keras_builds_for_that_size(name, network):
    ours = resized(public("backbones", name)(None), 64)
    theirs = getattr(keras.applications, network)(include_top=False, weights=None, input_shape=(64, 64, 3))
    theirs.set_weights(ours.model.get_weights())
    x = RNG.normal(size=(2, 64, 64, 3)).astype(np.float32)
    np.testing.assert_allclose(ours.model(x), theirs(x), rtol=1e-4, atol=1e-6)


def test_stages_weights_and_preprocessing_stay_and_the_first_one_is_left_alone():
    whole = public("backbones", "conv4")(None, resize="pad")
    small = resized(whole, 32)
    assert (whole.preprocess.size, whole.model.input_shape[1]) == (84, 84)
    assert small.preprocess.get_config() == {**whole.preprocess.get_config(), "size": 32}
    assert (small.stages, small.weights, small.feature_size) == (whole.stages, whole.weights, 64)
    for value, expected in zip(small.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)
    kernel = small.model.get_layer("block1_conv").kernel
    kernel.assign(0 * kernel)
    assert np.any(whole.model.get_layer("block1_conv").kernel)


@pytest.mark.slow
def test_layers_inside_a_stem_are_resized_too():
    whole = public("backbones", "convnext_tiny")(None)
    x = RNG.normal(size=(1, 224, 224, 3)).astype(np.float32)
    np.testing.assert_array_equal(resized(whole, 224).model(x), whole.model(x))
    assert resized(whole, 64).model.output_shape == (None, 2, 2, 768)


@pytest.mark.parametrize(("name", "size"), [("conv4", 8), ("cifar_net", 64)])
def test_a_size_that_the_layers_do_not_take_is_refused(name, size):
    with pytest.raises(
        ValueError, match=f"{name}: expected images of a size that its layers take, rec.* {size} pixels"
    ):
        resized(public("backbones", name)(None), size)


def test_a_recipe_may_choose_the_size():
    built = BackboneChoice(backbone="conv4", weights="random", size=48).build()
    assert (built.preprocess.size, built.model.input_shape) == (48, (None, 48, 48, 3))
    assert BackboneChoice(backbone="conv4", weights="random").build().preprocess.size == 84
    with pytest.raises(ValueError, match=r"BackboneChoice.size: expected a number > 0, received 0"):
        BackboneChoice(size=0)
