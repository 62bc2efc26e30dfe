"""ONNX: the class table is an overridable default, so one file serves any classes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from zsltf.artifacts.artifact import Artifact, Images, Outputs
from zsltf.artifacts.card import Card
from zsltf.checks import check_choice, check_positive, fail
from zsltf.exporters._batches import in_calls, tried
from zsltf.exporters._calibration import Calibration, check_calibration
from zsltf.exporters._onnx_light import check_memory, in_float16, in_int8
from zsltf.exporters._onnx_table import TABLE, read_table, set_table, write_open_variant

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["Onnx"]

Precision = Literal["float32", "float16", "int8"]

_ANSWERS = ("scores", "probabilities")
_OPEN = ".open.onnx"


@dataclass(frozen=True, kw_only=True)
class Onnx:
    """One .onnx file, and a .project.onnx beside it where semantics are not the class vectors themselves.

    Inputs: `images` uint8 (batch, height, width, 3), and optionally `class_vectors` and `class_bias`, float32, with any
    number of classes. Outputs: `scores`, `probabilities` (batch, classes) and `embedding`. Metadata: `zsltf`, the card
    as JSON, and for other readers `classes`, `preprocessing` and `versions`.
    """

    opset: int = 18
    """ONNX operator set, 15 to 18."""
    precision: Precision = "float32"
    """float16 halves the weights; int8 makes weights and activations of the network integers, but for the comparison
    with class vectors."""
    batch: int | None = None
    """Images a call; None for any number."""
    open_variant: bool = False
    """Write a .open.onnx as well, whose class inputs are required: OpenVINO, OpenCV and onnxruntime-web don't override
    a default."""
    memory: float | None = None
    """Gigabytes that the conversion may take; by default what the machine has left."""
    calibration: Calibration = field(default=None, repr=False, compare=False)
    """Photos of the network's size on which the ranges of an int8 file are measured."""

    SUFFIX: ClassVar[str] = ".onnx"
    PRECISIONS: ClassVar[tuple[str, ...]] = get_args(Precision)

    def __post_init__(self) -> None:
        if not 15 <= self.opset <= 18:
            fail("Onnx.opset", "15 to 18", str(self.opset), "tf2onnx knows no later ones: convert the file afterwards.")
        check_choice("Onnx.precision", self.precision, self.PRECISIONS)
        if self.batch is not None:
            check_positive("Onnx", batch=self.batch)
        if self.precision == "int8":
            check_calibration("Onnx", self.precision, self.calibration)

    @property
    def tolerance(self) -> float | None:
        """Of scores, relative to their spread over classes; None where accuracy is the measure."""
        return {"float32": 5e-5, "float16": 2e-2}.get(self.precision)

    @property
    def batches(self) -> tuple[int, ...]:
        """What it is tried with."""
        return tried(self.batch)

    @property
    def variant(self) -> str:
        """What tells the file's name from that of the defaults."""
        parts = {self.precision: self.precision != "float32", f"batch{self.batch}": self.batch is not None}
        return "".join(f".{part}" for part, holds in parts.items() if holds)

    def write(self, classifier: "Classifier", path: Path) -> None:
        """Convert and save; the file is opened once more by `read` before anybody trusts it."""
        import onnx

        from zsltf.artifacts import graph
        from zsltf.exporters._onnx_convert import convert

        check_memory(classifier, self.memory)
        model = convert(graph.score_function(classifier, graph.images_spec(self.batch)), self.opset, self.batch)
        if self.precision == "float16":
            model = in_float16(model)
        if self.precision == "int8" and self.calibration is not None:
            model = in_int8(model, self.calibration, self.batch or 1)
        set_table(model, graph.table(classifier), Card.of(classifier, precision=self.precision))
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString())
        if self.open_variant:
            write_open_variant(path, self.open_path(path))
        if classifier.project is not None:
            project = convert(graph.project_function(classifier), self.opset)
            project_path(path).write_bytes(project.SerializeToString())

    @staticmethod
    def open_path(path: Path) -> Path:
        """Where a file's open variant lies."""
        return path.with_suffix(_OPEN)

    @staticmethod
    def edit(path: Path, to: Path, artifact: Artifact) -> None:
        """The file at `path` with the artifact's class table, written to `to`; TensorFlow is not needed.

        Raises:
            ValueError: if it is an open variant, which has no table.
        """
        import onnx

        if table_path(path) != path:
            twin = table_path(path).name
            fail(path.name, "a file with a class table", "one that its caller gives it", f"Edit {twin}: both use it.")
        model = onnx.load(path)
        set_table(model, {name: getattr(artifact, name) for name in TABLE}, artifact.card)
        to.write_bytes(model.SerializeToString())

    @staticmethod
    def files(path: Path) -> list[Path]:
        """What `read` opens besides `path`: the twin with the class table, and `project`, where there are such."""
        table = table_path(path)
        return [file for file in dict.fromkeys((path, table, project_path(table))) if file.is_file()]

    def replay(self, function: Any, images: Images) -> np.ndarray:
        """What a file of this format makes of a graph's `tap`, image after image."""
        import onnxruntime

        from zsltf.exporters._onnx_convert import convert

        content = convert(function, self.opset).SerializeToString()
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        return np.concatenate([session.run(["tap"], {"images": image[None]})[0] for image in images])

    @staticmethod
    def read(path: Path) -> Artifact:
        """Open with onnxruntime; TensorFlow is not needed.

        Raises:
            ValueError: if the file is no ONNX file of zsltf's.
        """
        session = _session(path)
        card, table = read_table(table_path(path))
        required = {given.name for given in session.get_inputs()}
        own = {name: table[name] for name in TABLE if name in required}
        batch = session.get_inputs()[0].shape[0]

        def run(outputs: Sequence[str], feed: dict[str, np.ndarray]) -> Outputs:
            def call(images: Images) -> Outputs:
                return dict(zip(outputs, session.run(outputs, {**feed, "images": images}), strict=True))

            return in_calls(call, feed["images"], batch if isinstance(batch, int) else None)

        def project(semantics: np.ndarray) -> np.ndarray:
            if not card.project:
                return semantics
            return _session(project_path(table_path(path))).run(None, {"semantics": semantics})[0]

        return Artifact(
            card=card,
            class_vectors=table["class_vectors"],
            class_bias=table["class_bias"],
            built_in=lambda images: run(_ANSWERS, {"images": images, **own}),
            open_vocabulary=lambda images, vectors, bias: run(
                _ANSWERS, {"images": images, "class_vectors": vectors, "class_bias": bias}
            ),
            run_embed=lambda images: run(("embedding",), {"images": images, **own})["embedding"],
            run_project=project,
        )


def table_path(path: Path) -> Path:
    """Where a file's class table lies: in the file itself, and for model.open.onnx in model.onnx."""
    return path.with_name(f"{path.name.removesuffix(_OPEN)}{path.suffix}") if path.name.endswith(_OPEN) else path


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
