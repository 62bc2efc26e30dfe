"""What methods across domains give is saved and exported, and nothing of the adversary is left in any file.

Every adaptation method but SubspaceAlignment, and every generalisation method, gives the graph of DANN: the network,
shifted and scaled, under a dot product. SubspaceAlignment puts a linear map on the network, TrAdaBoost a vote.
"""

import re
import zipfile
from collections import Counter

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from zsltf.adaptation.dann import DANN
from zsltf.adaptation.source_only import SourceOnly
from zsltf.adaptation.subspace_alignment import SubspaceAlignment
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.discovery import names, plugin_type
from zsltf.instance.tradaboost import TrAdaBoost
from zsltf.layers.preprocess import Preprocess
from zsltf.proof import prove
from zsltf.runs import Golden
from zsltf.training.descent import Descent

EXPORTERS = [pytest.param(plugin_type("exporters", name)(), id=name) for name in names("exporters")]
CLASSES = ClassTable(names=("a", "b", "c"), semantics=np.zeros((3, 0), np.float32), seen=np.ones(3, bool))
PREPROCESS = Preprocess(12, mean=(127.0,) * 3, scale=(128.0,) * 3)
HIDDEN = (37, 41)
"""Of the domain classifier: sizes that nothing else has."""
DESCENT = Descent(epochs=3, batch_size=20)


def domain(seed, light):
    rng = np.random.default_rng(seed)
    y = np.arange(60) % 3
    x = light * (0.3 * rng.normal(size=(60, 12, 12, 3)) + np.eye(3)[y][:, None, None])
    return Features(x=x.astype(np.float32), y=y)


def network():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    steps = (layers.Conv2D(6, 3, 2, use_bias=False), layers.BatchNormalization(momentum=0.5), layers.ReLU())
    return keras.Sequential([keras.Input((12, 12, 3)), *steps, layers.GlobalAveragePooling2D(), layers.Dense(8)])


def boosted(source, target):
    """On the network's embeddings."""
    frozen = network()
    embedded = [part.with_x(np.asarray(frozen(part.x))) for part in (source, target)]
    frozen = keras.Model(frozen.inputs, frozen.outputs[0])
    return TrAdaBoost(rounds=4).fit(embedded[0], embedded[1].select(np.arange(9)), CLASSES).after(frozen)


@pytest.fixture(scope="module")
def classifiers():
    source, target = domain(0, 1.0), domain(1, 0.6)
    methods = {
        "DANN": DANN(units=HIDDEN, descent=DESCENT),
        "SourceOnly": SourceOnly(descent=DESCENT),
        "SubspaceAlignment": SubspaceAlignment(size=5, descent=DESCENT),
    }
    found = {
        name: method.fit(source, target.unlabelled(), CLASSES, network=network()) for name, method in methods.items()
    }
    found["TrAdaBoost"] = boosted(source, target)
    return {name: classifier.on_images(PREPROCESS) for name, classifier in found.items()}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(2).integers(0, 256, (7, 19, 15, 3), np.uint8)


@pytest.fixture(scope="module")
def exported(classifiers, images, tmp_path_factory):
    """Each is exported once."""
    found = {}

    def export(name, exporter):
        if (name, exporter) not in found:
            folder = tmp_path_factory.mktemp("export")
            golden = Golden(images=images, scores=classifiers[name].score(images))
            proofs = list(prove(exporter, classifiers[name], golden, folder))
            found[name, exporter] = proofs, folder / proofs[0].file
        return found[name, exporter]

    return export


@pytest.mark.parametrize("name", ["DANN", "SubspaceAlignment", "TrAdaBoost"])
@pytest.mark.parametrize("exporter", EXPORTERS)
def test_every_format_scores_as_keras_does(exporter, name, exported):
    proofs, _ = exported(name, exporter)
    assert all(proof.holds for proof in proofs), proofs


@pytest.mark.parametrize("name", ["DANN", "SubspaceAlignment", "TrAdaBoost"])
def test_reloads_in_safe_mode_with_equal_scores(name, classifiers, images, tmp_path):
    classifiers[name].save(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        Classifier.load(tmp_path / "model.keras").score(images), classifiers[name].score(images)
    )


def test_the_adversary_did_train(classifiers):
    """Or there would be nothing to leave behind."""
    one, other = (classifiers[name].embed.get_weights() for name in ("DANN", "SourceOnly"))
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(one, other, strict=True))


TRACE = re.compile(rb"domain_classifier|gradient_reversal|reversal|steepness|strength|adversar", re.IGNORECASE)


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_no_file_names_the_adversary(exporter, exported):
    _, path = exported("DANN", exporter)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert not TRACE.findall(file.read_bytes()), file


def test_the_saved_file_has_the_layers_and_weights_of_source_only(classifiers, tmp_path):
    for name in ("DANN", "SourceOnly"):
        classifiers[name].save(tmp_path / f"{name}.keras")
    with zipfile.ZipFile(tmp_path / "DANN.keras") as file:
        assert not any(TRACE.findall(file.read(entry)) for entry in file.namelist())
    one, other = (Classifier.load(tmp_path / f"{name}.keras") for name in ("DANN", "SourceOnly"))
    assert [variable.shape for variable in one.variables] == [variable.shape for variable in other.variables]
    kinds = [[type(layer) for layer in classifier._flatten_layers()] for classifier in (one, other)]
    assert kinds[0] == kinds[1]


def contents(path):
    """Shapes of what is stored, and kinds of operations."""
    if path.is_dir():
        graphs = [function.graph for function in tf.saved_model.load(str(path)).signatures.values()]
        operations = [operation.type for graph in graphs for operation in graph.get_operations()]
        return [tuple(shape) for _, shape in tf.train.list_variables(str(path / "variables" / "variables"))], operations
    if path.suffix == ".tflite":
        interpreter = Interpreter(str(path))
        shapes = [tuple(detail["shape"]) for detail in interpreter.get_tensor_details()]
        return shapes, [detail["op_name"] for detail in interpreter._get_ops_details()]
    graph = onnx.load(path).graph
    return [tuple(tensor.dims) for tensor in graph.initializer], [node.op_type for node in graph.node]


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_every_file_has_the_tensors_and_operations_of_source_only(exporter, exported):
    (shapes, operations), (plain_shapes, plain_operations) = (
        contents(exported(name, exporter)[1]) for name in ("DANN", "SourceOnly")
    )
    assert operations
    assert Counter(shapes) == Counter(plain_shapes)
    assert Counter(operations) == Counter(plain_operations)
    assert not {size for shape in shapes for size in shape} & set(HIDDEN)
