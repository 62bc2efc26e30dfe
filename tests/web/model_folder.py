"""The page's folder as it is served: the page, a model's description and its files, and the runtimes from npm."""

import base64
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import tensorflow as tf

from zsltf.artifacts import graph
from zsltf.artifacts.card import Card
from zsltf.classifier import Classifier
from zsltf.evaluation.attribute_view import named_columns
from zsltf.exporters._tflite_convert import convert
from zsltf.exporters.onnx import Onnx
from zsltf.exporters.tflite import TFLite

PAGE = Path(__file__).parents[2] / "export" / "web"
RUNTIME = {
    "onnxruntime-web": {
        "ort.wasm.min.mjs": "onnxruntime-web/dist",
        "ort-wasm-simd-threaded.mjs": "onnxruntime-web/dist",
        "ort-wasm-simd-threaded.wasm": "onnxruntime-web/dist",
    },
    "litert": {
        "litert_wasm_internal.js": "@litertjs/core/wasm",
        "litert_wasm_internal.wasm": "@litertjs/core/wasm",
    },
}


def write_folder(
    classifier: Classifier, folder: Path, runtime: str, packages: Path, precision: str = "float32", name: str = "model"
) -> Path:
    """Page, model and runtime."""
    shutil.copytree(PAGE, folder)
    model = folder / "model"
    model.mkdir()
    (folder / "runtime").mkdir()
    for file, place in RUNTIME[runtime].items():
        shutil.copy(packages / place / file, folder / "runtime" / file)
    if runtime == "litert":
        shutil.copy(packages / "@litertjs/core/dist/index.js", folder / "runtime" / "litert.js")
        shutil.copy(packages / "@litertjs/wasm-utils/dist/index.js", folder / "runtime" / "wasm-utils.js")
    write = {"onnxruntime-web": write_onnx, "litert": write_litert}[runtime]
    module = {"onnxruntime-web": "ort.wasm.min.mjs", "litert": "litert.js"}[runtime]
    runtime_files = {"module": f"../runtime/{module}", "wasm": "../runtime/"}
    described = description(classifier, name, runtime, write(classifier, model, precision), runtime_files)
    (model / "model.json").write_text(json.dumps(described), "utf-8")
    return folder


def description(classifier: Classifier, name: str, runtime: str, files: dict, runtime_files: dict) -> dict:
    """What model/model.json says."""
    table = graph.table(classifier)
    return {
        "format": 1,
        "name": name,
        "runtime": runtime,
        "card": asdict(Card.of(classifier)),
        "named_columns": named_columns(classifier.classes) if classifier.columns else [],
        "files": files,
        "runtime_files": runtime_files,
        "sentences": False,
        **{key: packed(value) for key, value in table.items()},
    }


def packed(values: np.ndarray) -> dict:
    """Shape and base64 of little-endian float32."""
    return {"shape": values.shape, "data": base64.b64encode(values.astype("<f4").tobytes()).decode()}


def write_onnx(classifier: Classifier, folder: Path, precision: str) -> dict[str, str | None]:
    """The open variant, and `project`."""
    Onnx(open_variant=True, precision=precision).write(classifier, folder / "written.onnx")
    (folder / "written.open.onnx").rename(folder / "network.onnx")
    (folder / "written.onnx").unlink()
    if classifier.project is not None:
        (folder / "written.project.onnx").rename(folder / "project.onnx")
    return {
        "network": "network.onnx",
        "project": None if classifier.project is None else "project.onnx",
        "compare": None,
    }


def write_litert(classifier: Classifier, folder: Path, precision: str) -> dict[str, str | None]:
    """Three graphs of fixed shapes: one photo, one class."""
    size, rows = classifier.preprocess.size, np.asarray(classifier.class_vectors)[:1]

    def network(images):
        return {"embedding": tf.identity(classifier.embedding(images))}

    def compare(embedding, class_vectors, class_bias):
        return {"scores": classifier.similarity(embedding, class_vectors) + class_bias}

    def project(semantics):
        return {"class_vectors": classifier.project(semantics, training=False)}

    graphs = {"network": (network, [graph.images_spec(1, size)])}
    embedding = tf.TensorSpec((1, *classifier.embed.output_shape[1:]), tf.float32, name="embedding")
    vectors, bias = tf.TensorSpec(rows.shape, name="class_vectors"), tf.TensorSpec((1,), name="class_bias")
    graphs["compare"] = (compare, [embedding, vectors, bias])
    if classifier.project is not None:
        graphs["project"] = (project, [tf.TensorSpec((1, len(classifier.columns)), name="semantics")])
    for name, (function, signature) in graphs.items():
        traced = tf.function(function, input_signature=signature, autograph=False)
        (folder / f"{name}.tflite").write_bytes(
            convert(traced, TFLite(precision=precision if name == "network" else "float32"), integer=False)
        )
    return {name: f"{name}.tflite" if name in graphs else None for name in ("network", "project", "compare")}
