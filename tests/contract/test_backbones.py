"""What every backbone keeps; a new member of a family is picked up by itself."""

import gc
import inspect
import runpy
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.data.images import ImageFolder, image_dataset
from zsltf.discovery import constructors, names, plugin_type, public
from zsltf.pretrained.backbone import stages_by_prefix
from zsltf.pretrained.catalogue import catalogue
from zsltf.pretrained.cut import cut

BENCHMARK = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "catalogue.py"))
CATALOGUE = catalogue()
FAMILY = {name: family for family in CATALOGUE.values() for name in family.members}
SMALLEST = {min(family.members, key=lambda name: family.members[name].parameters) for family in CATALOGUE.values()}
MEMBERS = [pytest.param(name, marks=() if name in SMALLEST else pytest.mark.slow) for name in FAMILY]
EXPORTED = [
    pytest.param(name, marks=() if FAMILY[name].source == "none" else pytest.mark.slow) for name in sorted(SMALLEST)
]


@pytest.fixture(scope="module", params=MEMBERS)
def backbone(request):
    yield public("backbones", request.param)(None)
    gc.collect()  # or the large ones add up


@pytest.fixture(scope="module")
def prepared(backbone):
    """Two images at the backbone's size."""
    return backbone.preprocess(np.random.default_rng(0).integers(0, 256, (2, 40, 50, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def maps(backbone, prepared):
    return backbone.model(prepared).numpy()


def test_facts_are_true(backbone):
    member = FAMILY[backbone.name].members[backbone.name]
    assert backbone.model.count_params() == member.parameters
    assert backbone.preprocess.size == member.size
    assert backbone.feature_size == member.features
    assert list(backbone.stages) == list(FAMILY[backbone.name].stages_of(backbone.name))


def test_every_constructor_has_facts_but_those_that_take_any_network():
    files = {name: file for name, file in constructors("backbones").items() if name not in FAMILY}
    assert not set(files.values()) & set(CATALOGUE)
    for family in CATALOGUE.values():
        assert family.source in ("keras.applications", "pip", "none")
        assert bool(family.url) == (family.source == "keras.applications")
        assert bool(family.licence) == (family.source != "none")
        assert all(len(member.checksum) in (0, 32, 64) for member in family.members.values())


def test_says_what_it_is(backbone):
    constructor = public("backbones", backbone.name)
    assert constructor.__doc__
    assert next(iter(inspect.signature(constructor).parameters)) == "weights"
    assert backbone.weights.source == "random"


def test_stages_follow_each_other_in_the_graph(backbone):
    """No weight of a stage lies behind one of a later stage."""
    weighted = [layer.name for layer in backbone.model.layers if layer.weights]
    stages = list(backbone.stages.values())
    assert sorted(name for stage in stages for name in stage) == sorted(weighted)
    for k in range(1, len(stages)):
        below, above = (sorted(name for stage in part for name in stage) for part in (stages[:k], stages[k:]))
        lower, upper = cut(backbone.model, above)
        assert sorted(layer.name for layer in lower.layers if layer.weights) == below
        assert sorted(layer.name for layer in upper.layers if layer.weights) == above


def test_two_parts_are_the_whole(backbone, prepared, maps):
    stages = list(backbone.stages.values())
    if len(stages) < 2:
        pytest.skip("nothing to cut")
    for k in range(1, len(stages)):
        lower, upper = cut(backbone.model, [name for stage in stages[k:] for name in stage])
        np.testing.assert_allclose(upper(lower(prepared)), maps, rtol=1e-4, atol=1e-5 * np.abs(maps).max())


def test_gives_maps_of_the_size_that_it_states(backbone, prepared, maps):
    size = backbone.preprocess.size
    assert prepared.shape == (2, size, size, 3)
    assert backbone.model.output_shape == (None, *maps.shape[1:])
    assert maps.shape[-1] == backbone.feature_size
    features = backbone.features()
    assert features.output_shape == (None, backbone.feature_size)
    pool = keras.Model(backbone.model.output, features.output)
    np.testing.assert_allclose(pool(maps), maps.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5 * np.abs(maps).max())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "xception" else pytest.mark.slow) for name in sorted(SMALLEST)]
)
def test_is_the_same_in_every_session(name):
    """Keras numbers unnamed layers on, but a run folder's weights are found by name, and cached features by a hash."""
    first, later = public("backbones", name)(None), public("backbones", name)(None)
    assert first.stages == later.stages
    later.model.set_weights(first.model.get_weights())
    assert first.fingerprint == later.fingerprint


def test_a_stage_needs_a_layer():
    model = public("backbones", "conv4")(None).model
    with pytest.raises(ValueError, match=r"the stages of conv4: expected a layer whose name begins with 'block9', rec"):
        stages_by_prefix(model, ("block1", "block9"))


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


@pytest.mark.parametrize("name", EXPORTED)
@pytest.mark.parametrize("exporter", [pytest.param(plugin_type("exporters", n), id=n) for n in names("exporters")])
def test_exports_from_images_of_any_size(name, exporter):
    backbone, images = public("backbones", name)(None), BENCHMARK["drawn_images"]()
    BENCHMARK["liven"](backbone.model, np.asarray(backbone.preprocess(images)))
    proofs = BENCHMARK["proofs_of"](backbone, images, exporter())
    assert all(proof.holds for proof in proofs), proofs
    gc.collect()


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
