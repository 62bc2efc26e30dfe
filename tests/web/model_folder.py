"""The page's folder as it is served, of a Classifier that is no run's: page, model and runtime."""

import shutil
from pathlib import Path

from zsltf.artifacts import graph
from zsltf.artifacts.card import Card
from zsltf.classifier import Classifier
from zsltf.exporters._tflite_fixed import FixedTFLite
from zsltf.exporters.onnx import Onnx, project_path
from zsltf.serving.browser_runtime import RUNTIMES
from zsltf.serving.model_json import model_json

PAGE = Path(__file__).parents[2] / "export" / "web"


def write_folder(
    classifier: Classifier, folder: Path, runtime: str, packages: Path, precision: str = "float32"
) -> Path:
    """Page, model and runtime."""
    shutil.copytree(PAGE, folder)
    for name in ("model", "runtime"):
        (folder / name).mkdir()
    for file, content in RUNTIMES[runtime].read(packages).items():
        (folder / "runtime" / file).write_bytes(content)
    files = {"onnxruntime-web": _write_onnx, "litert": _write_litert}[runtime](classifier, folder / "model", precision)
    described = model_json(
        "model",
        runtime,
        Card.of(classifier),
        **graph.table(classifier),
        files={part: path.name if path.is_file() else None for part, path in files.items()},
        runtime_files={"module": f"../runtime/{RUNTIMES[runtime].module}", "wasm": "../runtime/"},
    )
    (folder / "model" / "model.json").write_text(described, "utf-8")
    return folder


def _write_onnx(classifier, folder, precision):
    """Part -> file."""
    network = folder / "network.onnx"
    Onnx(open_variant=True, precision=precision).write(classifier, network)
    return {"network": Onnx.open_path(network), "project": project_path(network)}


def _write_litert(classifier, folder, precision):
    """The same."""
    network = folder / "network.tflite"
    FixedTFLite(precision=precision).write(classifier, network)
    parts = {"project": FixedTFLite.project_path(network), "compare": FixedTFLite.compare_path(network)}
    return {"network": network, **parts}
