"""ONNX: the class table is an overridable default, so one file serves any classes."""

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zsltf.artifacts.artifact import Artifact, Outputs
from zsltf.artifacts.card import Card
from zsltf.checks import fail
from zsltf.exporters._onnx_ops import HANDLERS

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["Onnx"]

_OUTPUTS = ("scores", "probabilities")


@dataclass(frozen=True, kw_only=True)
class Onnx:
    """One .onnx file, and a .project.onnx beside it where semantics are not the class vectors themselves.

    Inputs: `images` uint8 (batch, height, width, 3), and optionally `class_vectors` and `class_bias`, float32, with any
    number of classes. Outputs: `scores`, `probabilities` (batch, classes). Metadata: `zsltf`, the card as JSON.
    """

    opset: int = 18
    """ONNX operator set, 15 to 18."""

    SUFFIX: ClassVar[str] = ".onnx"
    TOLERANCE: ClassVar[float] = 5e-5
    """Of scores, relative to their spread over classes."""
    BATCHES: ClassVar[tuple[int, ...]] = (1, 7)

    def __post_init__(self) -> None:
        if not 15 <= self.opset <= 18:
            fail("Onnx.opset", "15 to 18", str(self.opset), "tf2onnx knows no later ones: convert the file afterwards.")

    def write(self, classifier: "Classifier", path: Path) -> None:
        """Convert and save; the file is opened once more by `read` before anybody trusts it."""
        import onnx
        from onnx import numpy_helper

        from zsltf.artifacts.graph import (
            project_function,
            project_signature,
            score_function,
            score_signature,
            table,
        )

        model = self._convert(score_function(classifier), score_signature(classifier, None))
        for name, value in table(classifier).items():
            model.graph.initializer.append(numpy_helper.from_array(value, name))
        onnx.helper.set_model_props(model, {"zsltf": Card.of(classifier).to_json()})
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())
        if classifier.project is not None:
            project = self._convert(project_function(classifier), project_signature(classifier))
            project_path(path).write_bytes(project.SerializeToString())

    def _convert(self, function: Any, signature: list[Any]) -> Any:
        import tf2onnx

        with _quiet("tf2onnx", "TF2ONNX_CATCH_ERRORS"):
            model, _ = tf2onnx.convert.from_function(
                function, input_signature=signature, opset=self.opset, custom_op_handlers=dict(HANDLERS)
            )
        outputs = sorted(function.get_concrete_function().structured_outputs)
        _rename(model, [spec.name for spec in signature], outputs)
        return model

    @staticmethod
    def read(path: Path) -> Artifact:
        """Open with onnxruntime; TensorFlow is not needed.

        Raises:
            ValueError: if the file is no ONNX file of zsltf's.
        """
        session = _session(path)
        text = session.get_modelmeta().custom_metadata_map.get("zsltf")
        if text is None:
            fail(str(path), "an ONNX file that zsltf wrote", "one without its card", "Export it with zsltf export.")
        card, table = Card.from_json(text, str(path)), _initializers(path)

        def run(feed: dict[str, np.ndarray]) -> Outputs:
            return dict(zip(_OUTPUTS, session.run(_OUTPUTS, feed), strict=True))

        def project(semantics: np.ndarray) -> np.ndarray:
            if not card.project:
                return semantics
            return _session(project_path(path)).run(None, {"semantics": semantics})[0]

        return Artifact(
            card=card,
            class_vectors=table["class_vectors"],
            class_bias=table["class_bias"],
            built_in=lambda images: run({"images": images}),
            open_vocabulary=lambda images, vectors, bias: run(
                {"images": images, "class_vectors": vectors, "class_bias": bias}
            ),
            run_project=project,
        )


def project_path(path: Path) -> Path:
    """Where a file's `project` lies: model.onnx -> model.project.onnx."""
    return path.with_suffix(f".project{path.suffix}")


def _session(path: Path) -> Any:
    import onnxruntime

    if not path.is_file():
        fail(str(path), "an ONNX file", "none", "Keep the files of an export together.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns once for each overridable default
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 (onnxruntime's errors share no base but Exception)
        fail(str(path), "a file that onnxruntime opens", str(error).strip()[:300], "Export it again.")


def _initializers(path: Path) -> dict[str, np.ndarray]:
    """The class table, without the weights of the network."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    names = ("class_vectors", "class_bias")
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.name in names}
    if len(found) < len(names):
        fail(str(path), "the class table as defaults of two inputs", "none", "Export it again.")
    return found


def _rename(model: Any, inputs: list[str], outputs: list[str]) -> None:
    """Stable names and dimensions, in place of the converter's numbers."""
    graph = model.graph
    new = dict(zip((value.name for value in graph.input), inputs, strict=True))
    new |= dict(zip((value.name for value in graph.output), outputs, strict=True))
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for value in (*graph.input, *graph.output):
        value.name = new[value.name]
        _name_dimensions(value)


def _name_dimensions(value: Any) -> None:
    dimensions = {
        "images": ("batch", "height", "width"),
        "class_vectors": ("classes",),
        "class_bias": ("classes",),
        "semantics": ("classes",),
        "scores": ("batch", "classes"),
        "probabilities": ("batch", "classes"),
    }[value.name]
    for dimension, name in zip(value.type.tensor_type.shape.dim, dimensions, strict=False):
        dimension.dim_param = name


@contextlib.contextmanager
def _quiet(logger: str, variable: str) -> Iterator[None]:
    """Warnings of the converter only where they are errors; no copy of the graph at each of its passes."""
    log, level, before = logging.getLogger(logger), logging.getLogger(logger).level, os.environ.get(variable)
    log.setLevel(logging.ERROR)
    os.environ[variable] = "FALSE"
    try:
        yield
    finally:
        log.setLevel(level)
        os.environ.pop(variable) if before is None else os.environ.__setitem__(variable, before)
