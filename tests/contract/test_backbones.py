"""What every backbone keeps; a new constructor is picked up by itself."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.classifier import Classifier, linear
from zsltf.data.classes import ClassTable
from zsltf.data.images import ImageFolder, image_dataset
from zsltf.delivery import prove
from zsltf.discovery import constructors, names, plugin_type, public
from zsltf.runs import Golden

NAMES = sorted(set(constructors("backbones")) - {"keras_model"})
SMALL = {"conv4", "efficientnet_lite0", "mean_colour"}
WITH_SLOW = [pytest.param(name, marks=() if name in SMALL else pytest.mark.slow) for name in NAMES]


@pytest.fixture(scope="module", params=NAMES)
def backbone(request):
    return public("backbones", request.param)(None)


def randomise(model):
    """Weights and BatchNorm statistics that are not the trivial ones."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.gamma.shape if layer.gamma is not None else layer.moving_mean.shape
            layer.moving_mean.assign(rng.normal(0, 0.2, size))
            layer.moving_variance.assign(rng.uniform(0.5, 2.0, size))


def test_stages_hold_the_weights_once_and_in_order(backbone):
    weighted = [layer.name for layer in backbone.model.layers if layer.weights]
    staged = [name for layers in backbone.stages.values() for name in layers]
    assert sorted(staged) == sorted(weighted)
    depth = {name: weighted.index(name) for name in weighted}
    means = [np.mean([depth[name] for name in layers]) for layers in backbone.stages.values()]
    assert means == sorted(means)


def test_gives_maps_of_the_size_that_it_states(backbone):
    size = backbone.preprocess.size
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 50, 3), dtype=np.uint8)
    prepared = backbone.preprocess(images)
    assert prepared.shape == (2, size, size, 3)
    assert backbone.model.output_shape[0] is None
    assert len(backbone.model.output_shape) == 4
    features = backbone.features()(prepared)
    assert features.shape == (2, backbone.feature_size)
    np.testing.assert_allclose(features, np.mean(backbone.model(prepared), axis=(1, 2)), rtol=1e-4, atol=1e-5)


def test_says_what_it_is(backbone):
    constructor = public("backbones", backbone.name)
    assert constructor.__doc__
    assert next(iter(inspect.signature(constructor).parameters)) == "weights"
    assert backbone.weights.source == "random"


def test_the_fingerprint_follows_weights_and_preprocessing():
    build = public("backbones", "conv4")
    first, other = build(None, size=32), build(None, size=32)
    assert first.fingerprint != other.fingerprint
    other.model.set_weights(first.model.get_weights())
    assert build(None, size=32).fingerprint != first.fingerprint
    twin = build(None, size=32)
    twin.model.set_weights(first.model.get_weights())
    assert twin.fingerprint == first.fingerprint
    cropped = build(None, size=32, resize="crop")
    cropped.model.set_weights(first.model.get_weights())
    assert cropped.fingerprint != first.fingerprint


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_preprocessing_in_tf_data_is_the_graphs(resize, drawn):
    backbone = public("backbones", "conv4")(None, size=32, resize=resize)
    folder = ImageFolder.read(drawn / "images", [path.name for path in sorted((drawn / "images").iterdir())][:2])
    preprocess = backbone.preprocess
    dataset = image_dataset(folder, preprocess.resize, size=48, policy=resize, batch_size=1)
    for index, pixels in dataset:
        png = tf.io.read_file(str(folder.root / folder.paths[int(index[0])]))
        image = tf.io.decode_png(png, channels=3)[None]
        np.testing.assert_allclose(preprocess.normalise(pixels), preprocess(image), atol=1e-6)


@pytest.mark.parametrize("name", WITH_SLOW)
@pytest.mark.parametrize("exporter", [pytest.param(plugin_type("exporters", n), id=n) for n in names("exporters")])
def test_exports_from_images_of_any_size(name, exporter, tmp_path):
    backbone = public("backbones", name)(None)
    randomise(backbone.model)
    rng = np.random.default_rng()
    images = rng.integers(0, 256, (7, 131, 97, 3), dtype=np.uint8)
    features = np.asarray(backbone.features()(backbone.preprocess(images)))
    scaled = rng.normal(size=(backbone.feature_size, 6)) / features.std(axis=0).mean().clip(1e-6)
    table = ClassTable(names=tuple("abcdefgh"), semantics=rng.normal(size=(8, 6)), seen=np.arange(8) < 5)
    classifier = Classifier(linear(scaled), table).after(backbone.features(), preprocess=backbone.preprocess)
    golden = Golden(images=images, scores=classifier.score(images))
    proofs = list(prove(exporter(), classifier, golden, tmp_path))
    assert all(proof.holds for proof in proofs), proofs


def test_any_keras_model_is_a_backbone(tmp_path):
    images = keras.Input((16, 16, 3))
    model = keras.Model(images, keras.layers.Conv2D(4, 3, name="body")(images), name="mine")
    model.save(tmp_path / "mine.keras")
    build = public("backbones", "keras_model")
    for weights in (model, tmp_path / "mine.keras"):
        backbone = build(weights, mean=(1.0, 2.0, 3.0), scale=(2.0, 2.0, 2.0))
        assert (backbone.feature_size, backbone.preprocess.size, list(backbone.stages)) == (4, 16, ["body"])
    with pytest.raises(ValueError, match=r"expected \(batch, size, size, 3\) to \(batch, h, w, D\).*Cut its head"):
        build(keras.Model(images, keras.layers.Flatten()(images)))
    with pytest.raises(ValueError, match=r"keras_model: expected a \.keras file, received 'nothing.keras'"):
        build("nothing.keras")
    with pytest.raises(ValueError, match="expected each layer with weights in one stage"):
        build(model, stages={"a": ["body"], "b": ["body"]})
