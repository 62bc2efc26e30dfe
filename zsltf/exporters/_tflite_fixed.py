"""TFLite files whose shapes are all fixed, which is what LiteRT.js takes: one photo, and one class, a call."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np
from scipy.special import expit, softmax

from zsltf.artifacts.artifact import Artifact, Images, Outputs
from zsltf.artifacts.card import Card
from zsltf.checks import check_choice
from zsltf.data.decode import fitted
from zsltf.exporters._litert import opened
from zsltf.exporters.tflite import TFLite

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["FixedTFLite"]

Precision = Literal["float32", "float16", "dynamic"]
_ACTIVATIONS = {"softmax": lambda scores: softmax(scores, axis=1), "sigmoid": expit}


@dataclass(frozen=True, kw_only=True)
class FixedTFLite:
    """A .tflite of the network, and beside it what is called once a class.

    model.fixed.tflite is `images` uint8 (1, size, size, 3) -> `embedding`; model.fixed.compare.tflite is `embedding`,
    `class_vectors` (1, ...), `class_bias` (1) -> `scores` (1, 1); model.fixed.project.tflite, where semantics are not
    the class vectors themselves, is `semantics` (1, A) -> `class_vectors`. The class table is a file of arrays.
    """

    precision: Precision = "float32"
    """Of the network's weights; float16 halves them, dynamic makes them int8 and leaves the arithmetic float."""

    SUFFIX: ClassVar[str] = ".tflite"
    PRECISIONS: ClassVar[tuple[str, ...]] = get_args(Precision)
    batches: ClassVar[tuple[int, ...]] = (1,)
    """What it is tried with."""

    def __post_init__(self) -> None:
        check_choice("FixedTFLite.precision", self.precision, self.PRECISIONS)

    @property
    def tolerance(self) -> float | None:
        """Of scores, relative to their spread over classes; None where accuracy is the measure."""
        return TFLite(precision=self.precision).tolerance

    @property
    def variant(self) -> str:
        """What tells the file's name from that of the defaults."""
        return f"{TFLite(precision=self.precision).variant}.fixed"

    def write(self, classifier: "Classifier", path: Path) -> None:
        """Convert each part by itself."""
        from zsltf.artifacts import graph
        from zsltf.exporters._tflite_convert import convert

        card = Card.of(classifier, precision=self.precision, any_size=False)
        parts = {path: (graph.embed_function(classifier, graph.images_spec(1, card.size)), self.precision)}
        parts[self.compare_path(path)] = (graph.class_score_function(classifier), "float32")
        if classifier.project is not None:
            parts[self.project_path(path)] = (graph.project_function(classifier, classes=1), "float32")
        for file, (function, precision) in parts.items():
            file.write_bytes(convert(function, TFLite(precision=precision), integer=False))
        arrays: dict[str, Any] = {"card": np.array(card.to_json()), **graph.table(classifier)}
        np.savez(_table_path(path), **arrays)

    def replay(self, function: Any, images: Images) -> np.ndarray:
        """What a file of this format makes of a graph's `tap`, image after image."""
        return TFLite(precision=self.precision).replay(function, images)

    @staticmethod
    def compare_path(path: Path) -> Path:
        """Where the comparison lies."""
        return path.with_suffix(".compare.tflite")

    @staticmethod
    def project_path(path: Path) -> Path:
        """Where `project` lies, if there is one."""
        return path.with_suffix(".project.tflite")

    @classmethod
    def read(cls, path: Path) -> Artifact:
        """Open with LiteRT, and call as a page does: once a photo, and then once a class."""
        with np.load(_table_path(path), allow_pickle=False) as arrays:
            table = dict(arrays)
        card = Card.from_json(str(table["card"]), str(_table_path(path)))
        network, compare = (_entry(file) for file in (path, cls.compare_path(path)))

        def embed(images: Images) -> np.ndarray:
            photos = (fitted(image, card.size, card.resize)[None] for image in images)
            return np.concatenate([network(images=photo)["embedding"] for photo in photos])

        def score(images: Images, vectors: np.ndarray, bias: np.ndarray) -> Outputs:
            rows = [
                [
                    compare(embedding=photo[None], class_vectors=vector[None], class_bias=level[None])["scores"][0, 0]
                    for vector, level in zip(vectors, bias, strict=True)
                ]
                for photo in embed(images)
            ]
            scores = np.array(rows, np.float32)
            return {"scores": scores, "probabilities": _ACTIVATIONS[card.activation](scores)}

        def project(semantics: np.ndarray) -> np.ndarray:
            if not card.project:
                return semantics
            run = _entry(cls.project_path(path))
            return np.concatenate([run(semantics=row[None])["class_vectors"] for row in semantics])

        return Artifact(
            card=card,
            class_vectors=table["class_vectors"],
            class_bias=table["class_bias"],
            built_in=lambda images: score(images, table["class_vectors"], table["class_bias"]),
            open_vocabulary=score,
            run_embed=embed,
            run_project=project,
        )


def _table_path(path: Path) -> Path:
    return path.with_suffix(".table.npz")


def _entry(path: Path) -> Any:
    return opened(path).get_signature_runner("entry")
