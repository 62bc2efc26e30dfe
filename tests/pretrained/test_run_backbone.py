"""The network below a run's head, whatever the recipe."""

import keras
import numpy as np
import pytest

from zsltf.backbones.conv4 import conv4
from zsltf.backbones.keras_model import keras_model
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import grey_pixels
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.heads.linear import LinearHead
from zsltf.heads.vgg import VGGHead
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Provenance
from zsltf.pretrained.run_backbone import run_backbone
from zsltf.training.descent import Descent
from zsltf.training.network import Network
from zsltf.training.preparation import Preparation
from zsltf.zeroshot.dazle import DAZLE

RUN = Provenance(source="runs/mine")


def table(count=3, width=0):
    rows = np.random.default_rng(0).normal(size=(count, width)).astype(np.float32)
    return ClassTable(names=tuple("abcdef"[:count]), semantics=rows, seen=np.ones(count, bool))


def on_features(backbone):
    """As linear_probe and zero_shot make it: prepared features, then the backbone below."""
    x = np.random.default_rng(0).normal(size=(6, backbone.feature_size)).astype(np.float32)
    train = Features(x=x, y=np.repeat([0, 1, 2], 2))
    prepared = Preparation(centre=True, unit_norm=True).fit(train, table())
    fitted = NearestClassMean().fit(train.with_x(prepared.features(train.x).numpy()), table())
    return fitted.after(prepared.features).after(backbone.features(), preprocess=backbone.preprocess)


def fine_tuned(backbone, head=None):
    """As finetune makes it: one flat graph."""
    network = Network.build(backbone, {"class": head or LinearHead()}, table())
    return network.classifier("class", np.zeros((3, network.embeddings["class"].shape[-1])))


def on_maps(backbone):
    """As zero_shot makes it for a method that looks at maps."""
    x = np.random.default_rng(0).normal(size=(6, 2, 2, backbone.feature_size)).astype(np.float32)
    method = DAZLE(descent=Descent(epochs=1))
    fitted = method.fit(Features(x=x, y=np.repeat([0, 1, 2], 2)), table(width=4))
    return fitted.after(backbone.model, preprocess=backbone.preprocess)


MADE = {
    "features": on_features,
    "fine_tuned": fine_tuned,
    "vgg head": lambda backbone: fine_tuned(backbone, VGGHead(units=8)),
    "maps": on_maps,
}


@pytest.mark.parametrize("how", MADE)
def test_gives_the_features_that_the_recipe_trained_on(how, tmp_path):
    backbone = conv4(None, size=32)
    MADE[how](backbone).save(tmp_path / "model.keras")
    found = run_backbone(Classifier.load(tmp_path / "model.keras"), RUN, name="mine")
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 40, 36, 3)).astype(np.float32)
    expected = backbone.features()(backbone.preprocess(pixels), training=False)
    np.testing.assert_allclose(found.features()(found.preprocess(pixels), training=False), expected, atol=1e-6)
    assert (found.name, found.weights, found.feature_size) == ("mine", RUN, 64)


def test_a_model_inside_the_network_is_not_taken_for_it():
    """ConvNeXt's stem, for one, is a Sequential from images to maps."""
    images = keras.Input((8, 8, 3))
    stem = keras.Sequential([keras.layers.Conv2D(4, 2, 2)], name="stem")
    backbone = keras_model(keras.Model(images, keras.layers.Conv2D(5, 2, 2, name="top")(stem(images))))
    for classifier in (fine_tuned(backbone), on_features(backbone), on_maps(backbone)):
        assert run_backbone(classifier, RUN).model.output_shape == (None, 2, 2, 5)


def test_what_has_no_backbone_is_refused():
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    on_vectors = NearestClassMean().fit(Features(x=x, y=np.repeat([0, 1, 2], 2)), table())
    with pytest.raises(ValueError, match="runs/mine: expected a Classifier from images, received one from features"):
        run_backbone(on_vectors, RUN)
    pixels = keras.Sequential([keras.Input((4,)), keras.layers.Identity()])
    grey = Classifier(pixels, table(), class_vectors=x[:3], opens_by=()).after(grey_pixels(2, 2))
    with pytest.raises(ValueError, match="expected a network whose feature maps are averaged, received another"):
        run_backbone(grey.on_images(Preprocess(2)), RUN)
