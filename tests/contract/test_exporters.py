"""What every exporter keeps, for every shape of graph: the file says what Keras says, for any classes and any batch."""

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image
from scipy.special import expit, softmax

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.decode import decode, fitted
from zsltf.discovery import names, plugin_type
from zsltf.exporters._tflite_fixed import FixedTFLite
from zsltf.exporters.onnx import Onnx
from zsltf.exporters.tflite import TFLite
from zsltf.layers.attribute_attention import AttributeAttention
from zsltf.layers.preprocess import Preprocess
from zsltf.proof import prove
from zsltf.runs import Golden

EXPORTERS = [pytest.param(plugin_type("exporters", name)(), id=name) for name in names("exporters")]
VARIANTS = {
    "tflite, float16": TFLite(precision="float16"),
    "tflite, any batch": TFLite(batch=None),
    "tflite, batch 3": TFLite(batch=3),
    "tflite, built-in only": TFLite(built_in_only=True),
    "onnx, float16": Onnx(precision="float16"),
    "onnx, batch 3": Onnx(batch=3),
    "onnx, opset 15": Onnx(opset=15),
}
EMBEDDINGS = {"max_over_maps": (3, 5), "cross_attention": (8,)}  # shape of A; (5,) for the others
VECTORS = {"log_sum_exp": (2, 5), "cross_attention": (3, 8)}  # of a class; (5,) for the others
SHAPES = (*names("similarities"), "attribute_attention", "sigmoid")
RNG = np.random.default_rng()  # drawn afresh: parity must not hang on one seed


def build(shape):
    """A small network on images, with seven classes and a gamma."""
    images = keras.Input((24, 24, 3))
    maps = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(images)
    if shape == "attribute_attention":
        x = AttributeAttention(5, width=6, seed=int(RNG.integers(1000)))(maps)
    else:
        size = EMBEDDINGS.get(shape, (5,))
        x = keras.layers.Dense(int(np.prod(size)))(keras.layers.GlobalAveragePooling2D()(maps))
        x = keras.layers.Reshape(size)(x)
    own = {}
    if shape in VECTORS:
        own = {"class_vectors": RNG.normal(size=(7, *VECTORS[shape])).astype(np.float32), "opens_by": ()}
    similarity = shape if shape in names("similarities") else "dot"
    return Classifier(
        keras.Model(images, x),
        ClassTable(names=tuple("abcdefg"), semantics=RNG.normal(size=(7, 5)), seen=np.arange(7) < 4),
        preprocess=Preprocess(24, mean=(127.0,) * 3, scale=(128.0,) * 3),
        similarity=plugin_type("similarities", similarity)(scale=3.0),
        bias=RNG.normal(size=7),
        gamma=0.5,
        activation="sigmoid" if shape == "sigmoid" else "softmax",
        **own,
    )


def golden_of(classifier):
    images = RNG.integers(0, 256, (7, 31, 45, 3), dtype=np.uint8)
    return Golden(images=images, scores=classifier.score(images))


def run(artifact, images, batch):
    outputs = [artifact(images[i : i + batch]) for i in range(0, len(images), batch)]
    return tuple(np.concatenate([o[key] for o in outputs]) for key in ("scores", "probabilities"))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("exporter", EXPORTERS)
def test_one_file_serves_any_classes(shape, exporter, tmp_path):
    classifier = build(shape)
    golden, squash = golden_of(classifier), expit if shape == "sigmoid" else lambda scores: softmax(scores, axis=1)
    proofs = list(prove(exporter, classifier, golden, tmp_path))  # seven classes, and four more
    assert {(proof.classes, proof.batch) for proof in proofs} == {(c, b) for c in (7, 11) for b in exporter.batches}
    assert all(proof.holds for proof in proofs), proofs
    name = proofs[0].file
    artifact, everything = exporter.read(tmp_path / name), golden.scores
    tolerance = exporter.tolerance * np.median(everything.std(axis=1))
    for index, kept in enumerate(([3], [0, 2, 3, 5, 6])):
        table = classifier.classes.select(kept)
        edited = artifact.with_table(table, artifact.class_vectors[kept], artifact.class_bias[kept])
        exporter.edit(tmp_path / name, tmp_path / f"{index}_{name}", edited)
        reopened = exporter.read(tmp_path / f"{index}_{name}")
        assert reopened.card.names == table.names
        for file, batch in ((edited, 1), (edited, 7), (reopened, 1), (reopened, 7)):
            scores, probabilities = run(file, golden.images, batch)
            np.testing.assert_allclose(scores, everything[:, kept], atol=tolerance, rtol=0)
            np.testing.assert_allclose(probabilities, squash(scores), atol=1e-6)


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_an_edited_file_is_a_fresh_export_of_the_edited_classifier(exporter, tmp_path):
    classifier = build("dot")
    new = ClassTable(names=tuple("wxyz"), semantics=RNG.normal(size=(4, 5)), seen=np.zeros(4, bool))
    paths = [tmp_path / f"{name}{exporter.SUFFIX}" for name in ("old", "edited", "fresh")]
    exporter.write(classifier, paths[0])
    exporter.edit(paths[0], paths[1], exporter.read(paths[0]).with_classes(new))
    exporter.write(classifier.with_classes(new), paths[2])
    edited, fresh = (exporter.read(path) for path in paths[1:])
    assert edited.card == fresh.card
    np.testing.assert_array_equal(edited.class_vectors, fresh.class_vectors)
    np.testing.assert_array_equal(edited.class_bias, fresh.class_bias)
    images = golden_of(classifier).images
    np.testing.assert_allclose(run(edited, images, 7)[0], run(fresh, images, 7)[0], atol=1e-6)


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_the_embedding_is_keras_own(exporter, tmp_path):
    classifier = build("cosine")
    images = golden_of(classifier).images
    exporter.write(classifier, tmp_path / f"model{exporter.SUFFIX}")
    embedded = exporter.read(tmp_path / f"model{exporter.SUFFIX}").embed(images)
    expected = np.asarray(classifier.embedding(images))
    np.testing.assert_allclose(embedded, expected, atol=exporter.tolerance * expected.std())


@pytest.mark.parametrize("shape", ["dot", "cross_attention"])
@pytest.mark.parametrize("name", VARIANTS)
def test_variants_say_what_keras_says(name, shape, tmp_path):
    classifier, exporter = build(shape), VARIANTS[name]
    proofs = list(prove(exporter, classifier, golden_of(classifier), tmp_path))
    assert all(proof.holds for proof in proofs), proofs
    assert {proof.classes for proof in proofs} == ({7} if "built-in" in name else {7, 11})
    assert exporter.tolerance == {"tflite, float16": 2e-2, "onnx, float16": 2e-2}.get(name, type(exporter)().tolerance)


@pytest.mark.parametrize("shape", SHAPES)
def test_files_of_fixed_shapes_say_what_keras_says(shape, tmp_path):
    classifier, exporter = build(shape), FixedTFLite(precision="float16" if shape == "dot" else "float32")
    golden = golden_of(classifier)
    proofs = list(prove(exporter, classifier, golden, tmp_path))
    assert all(proof.holds for proof in proofs), proofs
    assert [(proof.classes, proof.batch) for proof in proofs] == [(7, 1), (11, 1)]
    path = tmp_path / proofs[0].file
    assert path.name == ("model.float16.fixed.tflite" if shape == "dot" else "model.fixed.tflite")
    for file in (path, exporter.compare_path(path)):
        details = Interpreter(model_path=str(file)).get_tensor_details()
        assert all((tensor["shape_signature"] >= 0).all() for tensor in details), details
    fits = np.stack([fitted(image, 24, "stretch") for image in golden.images])
    expected = np.asarray(classifier.embedding(fits))
    embedded = exporter.read(path).embed(golden.images)
    np.testing.assert_allclose(embedded, expected, atol=exporter.tolerance * expected.std())


def test_projection_of_fixed_shapes(tmp_path):
    semantics = keras.Input((5,))
    classifier = build("dot")
    classifier = Classifier(
        classifier.embed,
        classifier.classes,
        preprocess=classifier.preprocess,
        project=keras.Model(semantics, keras.layers.Dense(5, activation="relu")(semantics)),
    )
    proofs = list(prove(FixedTFLite(), classifier, golden_of(classifier), tmp_path))
    assert all(proof.holds for proof in proofs), proofs  # also of four classes by their semantics
    runner = Interpreter(model_path=str(tmp_path / "model.fixed.project.tflite")).get_signature_runner("entry")
    assert runner.get_input_details()["semantics"]["shape_signature"].tolist() == [1, 5]


def test_integers_are_refused_where_shapes_are_fixed():
    with pytest.raises(ValueError, match=r"FixedTFLite.precision: expected one of dynamic, float16, float32, received"):
        FixedTFLite(precision="int8")


@pytest.mark.parametrize("name", ["dynamic", "int8", "int16x8"])
def test_integer_tflite_keeps_float_classes(name, tmp_path):
    classifier = build("dot")
    golden = golden_of(classifier)
    exporter = TFLite(precision=name, calibration=RNG.integers(0, 256, (32, 24, 24, 3), dtype=np.uint8))
    proofs = list(prove(exporter, classifier, golden, tmp_path))
    assert all(proof.holds and proof.difference < 0.5 for proof in proofs), proofs
    artifact = exporter.read(tmp_path / f"model.{name}.tflite")
    assert artifact.class_vectors.dtype == np.float32
    assert {proof.classes for proof in proofs} == {7, 11}


def test_integer_onnx_keeps_float_classes(tmp_path):
    classifier = build("dot")
    golden = golden_of(classifier)
    exporter = Onnx(precision="int8", calibration=RNG.integers(0, 256, (32, 24, 24, 3), dtype=np.uint8))
    proofs = list(prove(exporter, classifier, golden, tmp_path))
    assert all(proof.holds and proof.difference < 0.5 for proof in proofs), proofs
    assert {(proof.classes, proof.batch) for proof in proofs} == {(c, b) for c in (7, 11) for b in (1, 7)}
    graph = onnx.load(tmp_path / "model.int8.onnx").graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    assert types["class_vectors"] == types["class_bias"] == onnx.TensorProto.FLOAT
    assert onnx.TensorProto.INT8 in types.values()


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_encoded_photos_are_decoded_as_the_door_does(resize, tmp_path):
    given = build("dot")
    classifier = given.on_images(Preprocess(24, mean=(127.0,) * 3, scale=(128.0,) * 3, resize=resize))
    photos = []
    for size in ((90, 40), (40, 90), (20, 31), (24, 24)):
        photo = Image.fromarray(RNG.integers(0, 256, (*size, 3), dtype=np.uint8))
        photo.resize((size[1] // 3, size[0] // 3)).resize(size[::-1]).save(tmp_path / f"{len(photos)}.png")
        photos.append(tmp_path / f"{len(photos)}.png")
    exporter = plugin_type("exporters", "saved_model")()
    exporter.write(classifier, tmp_path / "saved_model")
    serve = tf.saved_model.load(tmp_path / "saved_model").signatures["from_bytes"]
    answers = serve(encoded=tf.constant([photo.read_bytes() for photo in photos]))
    expected = np.concatenate([classifier.score(decode(photo, 24, resize)[None]) for photo in photos])
    np.testing.assert_allclose(answers["scores"], expected, atol=2e-2 * np.median(expected.std(axis=1)))
