from dataclasses import replace

import keras
import numpy as np
import pytest

from zsltf.pretrained.choice import BackboneChoice


@pytest.mark.parametrize(("resize", "policy"), [(None, "stretch"), ("stretch", "stretch"), ("crop", "crop")])
def test_a_backbone_is_built_by_name_with_its_policy(resize, policy):
    built = BackboneChoice(backbone="conv4", weights="random", resize=resize).build()
    assert (built.name, built.preprocess.size, built.preprocess.resize_policy) == ("conv4", 84, policy)
    image = np.random.default_rng(0).integers(0, 256, (1, 60, 90, 3)).astype(np.uint8)
    pixels = built.preprocess.resize(image)
    assert pixels.shape == (1, 84, 84, 3)
    same = BackboneChoice(backbone="conv4", weights="random", resize="stretch").build().preprocess.resize(image)
    assert np.array_equal(pixels, same) == (policy == "stretch")


def test_another_size_keeps_the_policy():
    built = BackboneChoice(backbone="conv4", weights="random", resize="pad", size=32).build()
    assert (built.preprocess.size, built.preprocess.resize_policy) == (32, "pad")
    assert built.model.input_shape == (None, 32, 32, 3)


def test_a_network_of_the_users_own_is_normalised_as_asked(tmp_path):
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)]).save(tmp_path / "own.keras")
    choice = BackboneChoice(backbone="keras_model", weights=str(tmp_path / "own.keras"), scale=(2.0, 4.0, 5.0))
    built = replace(choice, mean=(10.0, 0.0, -10.0)).build()
    np.testing.assert_allclose(built.preprocess(np.full((1, 8, 8, 3), 20.0))[0, 0, 0], [5, 5, 6])


def test_a_network_with_a_normalisation_of_its_own_takes_no_other():
    with pytest.raises(
        ValueError, match=r"mean: expected none, for conv4 has its own, received \(1\.0, .*Leave it out"
    ):
        BackboneChoice(backbone="conv4", weights="random", mean=(1.0, 1.0, 1.0)).build()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"backbone": "conv5"}, r"backbone: expected one of .*, received 'conv5'\. Did you mean 'conv4'\?"),
        ({"size": 0}, r"BackboneChoice\.size: expected a number > 0, received 0"),
    ],
)
def test_what_there_is_not_is_refused_at_once(wrong, message):
    with pytest.raises(ValueError, match=message):
        BackboneChoice(**wrong)
