"""TFLite: two entries over the same weights, for phones and small boards."""

import copy
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zsltf.artifacts.artifact import Artifact, Outputs
from zsltf.artifacts.card import Card
from zsltf.checks import fail

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["TFLite"]

_CARD = "zsltf.json"
_LARGEST_CARD = 2**26  # bytes
_INPUTS = ("class_vectors", "class_bias")


@dataclass(frozen=True, kw_only=True)
class TFLite:
    """One .tflite file, and a .project.tflite beside it where semantics are not the class vectors themselves.

    Signatures: `serving_default` (images), which runs first in the classic API, and `open_vocabulary` (images,
    class_vectors, class_bias). Images are uint8 (1, height, width, 3): resize the input tensor to the image. The card
    is `zsltf.json` in a zip archive at the file's end, where Android looks for metadata.
    """

    SUFFIX: ClassVar[str] = ".tflite"
    TOLERANCE: ClassVar[float] = 2e-4
    """Of scores, relative to their spread over classes."""
    BATCHES: ClassVar[tuple[int, ...]] = (1,)

    def write(self, classifier: "Classifier", path: Path) -> None:
        """Convert `score`, then add the built-in entry as a copy of its graph with the class table as constants."""
        from zsltf.artifacts.graph import project_function, score_function, table

        open_file = _convert(score_function(classifier, batch=1), "open_vocabulary")
        path.write_bytes(_with_built_in_entry(open_file, table(classifier)))
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(_CARD, Card.of(classifier).to_json())
        if classifier.project is not None:
            path.with_suffix(".project.tflite").write_bytes(_convert(project_function(classifier), "project"))

    @staticmethod
    def read(path: Path) -> Artifact:
        """Open with LiteRT; TensorFlow is not needed.

        Raises:
            ValueError: if the file is no TFLite file of zsltf's.
        """
        interpreter = _interpreter(path)
        card = Card.from_json(_read_card(path), str(path))
        interpreter.allocate_tensors()
        tensors = {detail["name"]: detail["index"] for detail in interpreter.get_tensor_details()}
        vectors, bias = (interpreter.get_tensor(tensors[name]) for name in _INPUTS)

        def run(signature: str, **inputs: np.ndarray) -> Outputs:
            images, runner = inputs.pop("images"), interpreter.get_signature_runner(signature)
            rows = [runner(images=image[None], **inputs) for image in images]  # the file's batch is 1
            return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

        def project(semantics: np.ndarray) -> np.ndarray:
            if not card.project:
                return semantics
            runner = _interpreter(path.with_suffix(".project.tflite")).get_signature_runner("project")
            return runner(semantics=semantics)["class_vectors"]

        return Artifact(
            card=card,
            class_vectors=vectors,
            class_bias=bias,
            built_in=lambda images: run("serving_default", images=images),
            open_vocabulary=lambda images, vectors, bias: run(
                "open_vocabulary", images=images, class_vectors=vectors, class_bias=bias
            ),
            run_project=project,
        )


def _read_card(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_CARD).file_size > _LARGEST_CARD:
                fail(str(path), f"a card of at most {_LARGEST_CARD} bytes", "a larger one", "Export it again.")
            return archive.read(_CARD)
    except (zipfile.BadZipFile, zlib.error, KeyError, RuntimeError, OSError) as error:
        received = f"one without its card ({error})"
        fail(str(path), "a TFLite file that zsltf wrote", received, "Export it with zsltf export.")


def _convert(function: Any, signature: str) -> bytes:
    """One tf.function to a TFLite file with one signature, through a SavedModel so that its names are kept."""
    import tempfile

    import tensorflow as tf

    from zsltf.artifacts.graph import save

    module = tf.Module()
    module.function = function
    module.captured = list(function.get_concrete_function().variables)
    with tempfile.TemporaryDirectory() as folder:
        save(module, Path(folder), {signature: function})
        return tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[signature]).convert()


def _with_built_in_entry(content: bytes, table: dict[str, np.ndarray]) -> bytes:
    """Put a copy of the only graph first, its class inputs turned into constants; weights stay shared."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    entry = model.signatureDefs[0]
    _name_tensors(model.subgraphs[0], entry)
    built_in = copy.deepcopy(model.subgraphs[0])
    for name, value in table.items():
        index = next(pair.tensorIndex for pair in entry.inputs if pair.name.decode() == name)
        tensor, data = built_in.tensors[index], schema.BufferT()
        data.data = np.frombuffer(value.tobytes(), np.uint8)
        model.buffers.append(data)
        tensor.buffer, tensor.shape, tensor.shapeSignature = len(model.buffers) - 1, list(value.shape), None
        built_in.inputs = [i for i in built_in.inputs if i != index]
    model.subgraphs.insert(0, built_in)
    default = copy.deepcopy(entry)
    default.signatureKey, default.subgraphIndex, entry.subgraphIndex = b"serving_default", 0, 1
    default.inputs = [pair for pair in default.inputs if pair.name.decode() not in table]
    model.signatureDefs.insert(0, default)
    builder = flatbuffers.Builder(len(content) + 2**20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _name_tensors(graph: Any, entry: Any) -> None:
    """Inputs and outputs are called as in the signature."""
    for pair in (*entry.inputs, *entry.outputs):
        graph.tensors[pair.tensorIndex].name = pair.name


def _interpreter(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    if not path.is_file():
        fail(str(path), "a TFLite file", "none", "Keep the files of an export together.")
    try:
        return Interpreter(model_path=str(path))
    except (ValueError, RuntimeError) as error:
        fail(str(path), "a file that LiteRT opens", str(error).strip()[:300], "Export it again.")
