"""TFLite: two entries over the same weights, for phones and small boards."""

import functools
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from zsltf.artifacts.artifact import Artifact, Images, Outputs
from zsltf.artifacts.card import Card
from zsltf.artifacts.metadata import classifier_metadata
from zsltf.checks import check_choice, check_positive
from zsltf.data.decode import fitted
from zsltf.exporters._batches import in_calls, tried
from zsltf.exporters._calibration import Calibration, check_calibration
from zsltf.exporters._litert import opened
from zsltf.exporters._tflite_card import append_card, read_card
from zsltf.exporters._tflite_graphs import check_single_graph, class_table, two_entries, with_metadata, with_table

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["TFLite"]

Precision = Literal["float32", "float16", "dynamic", "int8", "int16x8"]

_ANSWERS = ("probabilities", "scores")  # MediaPipe takes the first for its answer
_ABOUT = "Images to scores and probabilities of classes, by zsltf."
_INTEGER = ("int8", "int16x8")


@dataclass(frozen=True, kw_only=True)
class TFLite:
    """One .tflite file, and a .project.tflite beside it where semantics are not the class vectors themselves.

    Signatures: `serving_default` (images), which the classic API runs, and `open_vocabulary` (images, class_vectors,
    class_bias). Both answer `scores`, `probabilities` and `embedding`. Images are uint8 (batch, height, width, 3) of
    any size (resize the input tensor to the image), or of the network's own in integer files. In those the network's
    arithmetic is of integers, while class vectors, bias and scores stay float32, so that classes can be added. The card
    is `zsltf.json` in a zip archive at the file's end, where Android looks for metadata.
    """

    precision: Precision = "float32"
    """float16 halves the weights; dynamic makes them int8 and leaves the arithmetic float; int8 makes both integers;
    int16x8 keeps activations in 16 bits."""
    batch: int | None = 1
    """Images a call; None for any number."""
    built_in_only: bool = False
    """One entry, for images of the network's own size, with TFLite metadata and labels: what MediaPipe and the
    compilers of accelerators take. With int8 all of it is integers, class vectors and outputs too."""
    calibration: Calibration = field(default=None, repr=False, compare=False)
    """Photos of the network's size on which the ranges of an integer file are measured."""
    float_layers: tuple[str, ...] = ()
    """Outputs of operators that an integer file computes in float32."""

    SUFFIX: ClassVar[str] = ".tflite"
    PRECISIONS: ClassVar[tuple[str, ...]] = get_args(Precision)

    def __post_init__(self) -> None:
        check_choice("TFLite.precision", self.precision, self.PRECISIONS)
        if self.batch is not None:
            check_positive("TFLite", batch=self.batch)
        if self.precision in _INTEGER:
            check_calibration("TFLite", self.precision, self.calibration)

    @property
    def tolerance(self) -> float | None:
        """Of scores, relative to their spread over classes; None where accuracy is the measure."""
        return {"float32": 2e-4, "float16": 2e-2}.get(self.precision)

    @property
    def batches(self) -> tuple[int, ...]:
        """What it is tried with."""
        return tried(self.batch)

    @property
    def variant(self) -> str:
        """What tells the file's name from that of the defaults."""
        parts = {self.precision: self.precision != "float32", "built_in": self.built_in_only}
        parts |= {"any_batch": self.batch is None, f"batch{self.batch}": self.batch not in (1, None)}
        return "".join(f".{part}" for part, holds in parts.items() if holds)

    def write(self, classifier: "Classifier", path: Path) -> None:
        """Convert the network, then put the comparison with the class table behind it."""
        from zsltf.artifacts import graph
        from zsltf.exporters._tflite_convert import convert

        integer = self.precision in _INTEGER
        any_size = not (integer or self.built_in_only)
        card = Card.of(classifier, precision=self.precision, editable=not self.built_in_only, any_size=any_size)
        images = graph.images_spec(self.batch, None if any_size else card.size)
        if self.built_in_only:
            function = graph.built_in_function(classifier, images)
            metadata = classifier_metadata(_ANSWERS, name="zsltf", description=_ABOUT, licence="")
            content = with_metadata(convert(function, self, integer=integer), metadata, _ANSWERS)
        else:
            trunk, head = graph.halves(classifier)
            network = convert(graph.trunk_function(classifier, trunk, images), self, integer=integer)
            comparison = convert(graph.compare_function(classifier, trunk, head, self.batch), self, integer=False)
            content = two_entries(network, comparison, graph.table(classifier))
        path.write_bytes(content)
        append_card(path, card)
        if classifier.project is not None and not self.built_in_only:
            project = convert(graph.project_function(classifier), TFLite(), integer=False)
            _project_path(path).write_bytes(project)

    def worst_layers(self, classifier: "Classifier") -> list[str]:
        """Operators of an integer file whose outputs lose most, first; see `float_layers`."""
        from zsltf.artifacts import graph
        from zsltf.exporters._tflite_convert import worst_operators

        preprocess: Any = classifier.preprocess
        images, (trunk, _) = graph.images_spec(self.batch, preprocess.size), graph.halves(classifier)
        return worst_operators(graph.trunk_function(classifier, trunk, images), self)

    @staticmethod
    def edit(path: Path, to: Path, artifact: Artifact) -> None:
        """The file at `path` with the artifact's class table, written to `to`; TensorFlow is not needed."""
        table = {"class_vectors": artifact.class_vectors, "class_bias": artifact.class_bias}
        to.write_bytes(with_table(path.read_bytes(), table))
        append_card(to, artifact.card)

    @staticmethod
    def files(path: Path) -> list[Path]:
        """The file, and `project` beside it where there is one."""
        return [file for file in (path, _project_path(path)) if file.is_file()]

    def replay(self, function: Any, images: Images) -> np.ndarray:
        """What a file of this format makes of a graph's `tap`, image after image."""
        from ai_edge_litert.interpreter import Interpreter

        from zsltf.exporters._tflite_convert import convert

        content = convert(function, self, integer=False)
        check_single_graph(content)
        runner = Interpreter(model_content=content).get_signature_runner("entry")
        return np.concatenate([runner(images=image[None])["tap"] for image in images])

    @staticmethod
    def read(path: Path) -> Artifact:
        """Open with LiteRT; TensorFlow is not needed.

        Raises:
            ValueError: if the file is no TFLite file of zsltf's.
        """
        interpreter = opened(path)
        card = read_card(path)
        table = class_table(path.read_bytes()) if card.editable else {}
        details = interpreter.get_signature_runner("serving_default").get_input_details()
        fixed = details["images"]["shape_signature"][0]
        answers = interpreter.get_signature_runner("serving_default").get_output_details()
        scales = {name: detail["quantization"] for name, detail in answers.items()}
        runner_of, one_by_one = functools.cache(interpreter.get_signature_runner), threading.Lock()

        def run(signature: str, images: Images, **inputs: np.ndarray) -> Outputs:
            if not card.any_size:
                images = np.stack([fitted(image, card.size, card.resize) for image in images])
            with one_by_one:  # an interpreter has its tensors for one call
                runner = runner_of(signature)
                outputs = in_calls(lambda batch: runner(images=batch, **inputs), images, None if fixed < 0 else fixed)
            return {name: _real(values, *scales[name]) for name, values in outputs.items()}

        def open_vocabulary(images: Images, vectors: np.ndarray, bias: np.ndarray) -> Outputs:
            return run("open_vocabulary", images, class_vectors=vectors, class_bias=bias)

        def project(semantics: np.ndarray) -> np.ndarray:
            if not card.project:
                return semantics
            runner = opened(_project_path(path)).get_signature_runner("entry")
            return runner(semantics=semantics)["class_vectors"]

        return Artifact(
            card=card,
            class_vectors=table.get("class_vectors", np.empty((0, 0), np.float32)),
            class_bias=table.get("class_bias", np.empty(0, np.float32)),
            built_in=lambda images: run("serving_default", images),
            open_vocabulary=open_vocabulary,
            run_embed=lambda images: run("serving_default", images)["embedding"],
            run_project=project,
        )


def _real(values: np.ndarray, scale: float, zero: int) -> np.ndarray:
    """What an integer output stands for."""
    return (values.astype(np.float32) - zero) * np.float32(scale) if scale else values


def _project_path(path: Path) -> Path:
    """Where a file's `project` lies: model.tflite -> model.project.tflite."""
    return path.with_suffix(".project.tflite")
