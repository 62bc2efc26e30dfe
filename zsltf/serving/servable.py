"""One loaded version of a model: its signatures as protos, and a call that runs one of them."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.card import NONE_OF_THESE, Card
from zsltf.checks import fail
from zsltf.data.decode import decode
from zsltf.exporters.saved_model import SavedModel
from zsltf.prediction import open_artifact

__all__ = ["PREDICT", "Described", "Servable", "is_saved_model", "load"]

PREDICT = "tensorflow/serving/predict"
"""The method of a signature that takes and gives named tensors."""

Tensors = Mapping[str, np.ndarray]
Described: TypeAlias = tuple[Card, np.ndarray, np.ndarray]
"""Card, class vectors and class bias."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Servable:
    """Signatures by name, and `run`: a signature's name, its inputs and the names of the outputs that are wanted."""

    signatures: Mapping[str, meta_graph_pb2.SignatureDef]
    run: Callable[[str, Tensors, Sequence[str]], Tensors]
    close: Callable[[], None] = lambda: None
    described: Callable[[], Described] | None = None
    """What a page is told of a model of zsltf's whose classes are open; None of others."""


def is_saved_model(path: Path) -> bool:
    """Whether a folder is one."""
    return any((path / f"saved_model.{kind}").is_file() for kind in ("pb", "pbtxt"))


def load(path: Path) -> Servable:
    """Open a version: a SavedModel folder, a .onnx or .tflite file of zsltf's, or a folder with one of these files.

    Raises:
        ValueError: if it is none, or damaged.
    """
    if is_saved_model(path):
        return _saved_model(path)
    files = [path] if path.is_file() else [file for suffix in ("onnx", "tflite") for file in path.glob(f"*.{suffix}")]
    files = [file for file in files if not file.name.endswith((".open.onnx", ".project.onnx", ".project.tflite"))]
    if len(files) != 1:
        found = "none" if not files else f"{len(files)} files"
        fail(str(path), "a saved_model.pb, or one .onnx or .tflite file", found, "Export a run with zsltf export.")
    return _artifact(open_artifact(files[0]))


def _saved_model(path: Path) -> Servable:
    """By a session, as TensorFlow Serving does: what a graph makes of odd inputs is the graph's affair."""
    graph = tf.Graph()
    session = tf.compat.v1.Session(graph=graph)
    try:
        with graph.as_default(), _no_advice():
            loaded = tf.compat.v1.saved_model.loader.load(session, [tf.saved_model.SERVING], str(path))
    except Exception as error:  # noqa: BLE001 (TensorFlow raises of every kind on a damaged folder)
        session.close()
        fail(str(path), "a SavedModel with the tag serve", f"{type(error).__name__}: {error}", "Export it again.")
    signatures, file = dict(loaded.signature_def), path / SavedModel.CARD

    @functools.lru_cache(maxsize=256)
    def prepared(name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Callable[..., list[np.ndarray]]:
        signature = signatures[name]
        options = config_pb2.CallableOptions(
            feed=[signature.inputs[key].name for key in inputs],
            fetch=[signature.outputs[key].name for key in outputs],
        )
        return session._make_callable_from_options(options)

    def run(name: str, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        values = prepared(name, tuple(inputs), tuple(outputs))(*inputs.values())
        return {key: _array(value) for key, value in zip(outputs, values, strict=True)}

    def described() -> Described:
        card = Card.from_json(file.read_bytes(), str(file))
        table = run("table", {"rows": np.empty(0, np.int32)}, ("class_vectors", "class_bias"))
        return card, table["class_vectors"], table["class_bias"]

    ours = described if file.is_file() and "table" in signatures else None
    return Servable(signatures=signatures, run=run, close=session.close, described=ours)


@contextlib.contextmanager
def _no_advice() -> Iterator[None]:
    """TensorFlow advises against its own loader for sessions, the one that the binary uses."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


def _array(value: Any) -> np.ndarray:
    """A runtime's answer; a single string comes as bytes."""
    return np.array(value, object) if isinstance(value, bytes) else np.asarray(value)


def _artifact(artifact: Artifact) -> Servable:
    card, names = artifact.card, np.array([name.encode() for name in artifact.card.names], object)
    side = -1 if card.any_size else card.size
    images = {"images": (tf.uint8, (-1, side, side, 3))}
    scores = dict.fromkeys(("scores", "probabilities"), (tf.float32, (-1, -1)))
    built_in = {**scores, "label": (tf.string, (-1,))}
    table = {"class_vectors": (tf.float32, (-1, *artifact.class_vectors.shape[1:])), "class_bias": (tf.float32, (-1,))}

    def answer(images: np.ndarray) -> Tensors:
        outputs = artifact(images)
        best = outputs["scores"].argmax(axis=1)
        known = card.threshold is None or outputs["scores"].max(axis=1) >= card.threshold
        return {**outputs, "label": np.where(known, names[best], NONE_OF_THESE.encode())}

    def from_bytes(encoded: np.ndarray) -> Tensors:
        parts = [answer(decode(image, card.size, card.resize)[None]) for image in encoded]
        return {name: np.concatenate([part[name] for part in parts]) for name in built_in}

    doors: dict[str, tuple[Any, Any, Callable[..., Tensors]]] = {
        "serving_default": (images, built_in, answer),
        "from_bytes": ({"encoded": (tf.string, (-1,))}, built_in, from_bytes),
    }
    if card.editable:
        doors["open_vocabulary"] = (
            {**images, **table},
            scores,
            artifact.open_vocabulary,
        )
        doors["embed"] = (
            images,
            {"embedding": (tf.float32, None)},
            lambda images: {"embedding": artifact.embed(images)},
        )
    if card.editable and card.project:
        semantics = {"semantics": (tf.float32, (-1, len(card.columns)))}
        vectors = {"class_vectors": table["class_vectors"]}
        doors["project"] = (semantics, vectors, lambda rows: {"class_vectors": artifact.run_project(rows)})

    def run(name: str, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        found = doors[name][2](*(inputs[key] for key in doors[name][0]))
        return {key: found[key] for key in outputs}

    signatures = {name: _signature(inputs, outputs) for name, (inputs, outputs, _) in doors.items()}
    described = (lambda: (card, artifact.class_vectors, artifact.class_bias)) if card.editable else None
    return Servable(signatures=signatures, run=run, described=described)


def _signature(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> meta_graph_pb2.SignatureDef:
    signature = meta_graph_pb2.SignatureDef(method_name=PREDICT)
    for target, specs in ((signature.inputs, inputs), (signature.outputs, outputs)):
        for name, (dtype, shape) in specs.items():
            target[name].name = f"{name}:0"
            target[name].dtype = dtype.as_datatype_enum
            dimensions = None if shape is None else [None if n < 0 else n for n in shape]
            target[name].tensor_shape.CopyFrom(tf.TensorShape(dimensions).as_proto())
    return signature
