"""What every similarity keeps: one graph that takes any classes, in three formats."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.delivery import prove
from zsltf.discovery import names, plugin_type
from zsltf.layers.preprocess import Preprocess
from zsltf.runs import Golden

SIMILARITIES = [pytest.param(plugin_type("similarities", name), id=name) for name in names("similarities")]
MAPS, VARIANTS, ATTENTION = (
    plugin_type("similarities", name) for name in ("max_over_maps", "log_sum_exp", "cross_attention")
)
EMBEDDINGS = {MAPS: (3, 5), ATTENTION: (8,)}  # shape of A; (5,) for the others
VECTORS = {VARIANTS: (2, 5), ATTENTION: (3, 8)}  # of a class; (5,) for the others
EXPORTERS = [pytest.param(plugin_type("exporters", name), id=name) for name in names("exporters")]
pytestmark = pytest.mark.parametrize("similarity", SIMILARITIES)
RNG = np.random.default_rng()  # drawn afresh: parity must not hang on one seed


@pytest.fixture
def classifier(similarity):
    """A small network on images, with seven classes and a gamma."""
    preprocess = Preprocess(24, mean=(127.0,) * 3, scale=(128.0,) * 3)
    images = keras.Input((24, 24, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(images)
    shape = EMBEDDINGS.get(similarity, (5,))
    x = keras.layers.Dense(int(np.prod(shape)))(keras.layers.GlobalAveragePooling2D()(x))
    x = keras.layers.Reshape(shape)(x)
    table = ClassTable(names=tuple("abcdefg"), semantics=RNG.normal(size=(7, 5)), seen=np.arange(7) < 4)
    own = {}
    if similarity in VECTORS:
        own = {"class_vectors": RNG.normal(size=(7, *VECTORS[similarity])).astype(np.float32), "opens_by": ()}
    return Classifier(
        keras.Model(images, x),
        table,
        preprocess=preprocess,
        similarity=similarity(scale=3.0),
        bias=RNG.normal(size=7),
        gamma=0.5,
        **own,
    )


@pytest.fixture
def golden(classifier):
    images = RNG.integers(0, 256, (7, 31, 45, 3), dtype=np.uint8)
    return Golden(images=images, scores=classifier.score(images))


def test_symbolic_shape_is_the_eager_shape(similarity):
    layer = similarity()
    shape, vector = EMBEDDINGS.get(similarity, (5,)), VECTORS.get(similarity, (5,))
    symbolic = layer(keras.Input(shape), keras.Input(vector))
    assert symbolic.shape == (None, None)
    assert layer(np.ones((2, *shape), np.float32), np.ones((3, *vector), np.float32)).shape == (2, 3)


def test_the_order_of_classes_only_permutes_the_scores(similarity):
    shapes = (4, *EMBEDDINGS.get(similarity, (5,))), (6, *VECTORS.get(similarity, (5,)))
    a, b = (RNG.normal(size=shape).astype("float32") for shape in shapes)
    order = RNG.permutation(6)
    layer = similarity()
    np.testing.assert_allclose(layer(a, b[order]), np.asarray(layer(a, b))[:, order], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_one_file_serves_any_classes(similarity, exporter, classifier, golden, tmp_path):
    proofs = list(prove(exporter(), classifier, golden, tmp_path))
    assert {proof.classes for proof in proofs} == {7, 11}
    assert {proof.batch for proof in proofs} == set(exporter.BATCHES)
    assert all(proof.holds for proof in proofs), proofs
    name = proofs[0].file
    artifact, everything = exporter.read(tmp_path / name), np.asarray(classifier.score(golden.images))
    for kept in ([3], [0, 2, 3, 5, 6]):
        edited = artifact.with_table(
            tuple(classifier.names[i] for i in kept), artifact.class_vectors[kept], artifact.class_bias[kept]
        )
        outputs = edited(golden.images)
        tolerance = exporter.TOLERANCE * np.median(everything.std(axis=1))
        np.testing.assert_allclose(outputs["scores"], everything[:, kept], atol=tolerance, rtol=0)
        np.testing.assert_allclose(outputs["probabilities"], softmax(outputs["scores"], axis=1), atol=1e-6)
