"""Predict from an exported file: no TensorFlow for ONNX and TFLite."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.manifest import MANIFEST
from zsltf.checks import fail
from zsltf.data.attributes import read_new_classes
from zsltf.data.decode import SUFFIXES, decode
from zsltf.discovery import names, plugin_type
from zsltf.files import atomic_file, check_writable, visible_files

__all__ = [
    "Prediction",
    "check_table",
    "exporter_of",
    "open_artifact",
    "own_path",
    "photo_paths",
    "predict",
    "write_predictions",
]

_HEADER = ("photo", "rank", "class", "probability", "score", "known", "error")


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a file says of one photo."""

    photo: Path
    ranking: list[tuple[str, float, float]]
    """Class, probability, score; likeliest first."""
    known: bool = True
    """Whether the best score reaches the file's threshold; else the photo shows none of these classes."""
    error: str = ""
    """Why the photo could not be read; the ranking is empty then."""


def open_artifact(path: Path, rows: Path | None = None) -> Artifact:
    """Open an exported file by its runtime, with the classes of a CSV added to its table.

    Raises:
        ValueError: if the file is of no known format, or the rows don't fit it.
    """
    path = own_path(path)
    artifact: Artifact = exporter_of(path).read(path)
    return artifact if rows is None else artifact.with_classes(read_new_classes(rows, artifact.card.classes))


def own_path(path: Path) -> Path:
    """Where an exported file lies beside what belongs to it: in an export as it is, else where a link leads."""
    path = path.absolute()
    return path.parent.resolve() / path.name if (path.parent / MANIFEST).is_file() else path.resolve()


def exporter_of(path: Path) -> Any:
    """The exporter whose format an exported file has.

    Raises:
        ValueError: if there is no file, or one of no known format.
    """
    if not path.exists():
        fail(str(path), "an exported file", "none", "Give a .onnx, a .tflite or a SavedModel folder.")
    suffix = "" if path.is_dir() else path.suffix
    exporters = {plugin_type("exporters", name).SUFFIX: plugin_type("exporters", name) for name in names("exporters")}
    if suffix not in exporters:
        fail(str(path), "a .onnx, a .tflite or a SavedModel folder", f"'{suffix}'", "Export a run with zsltf export.")
    return exporters[suffix]


def photo_paths(given: Sequence[Path]) -> list[Path]:
    """The files given, and the images in the folders given.

    Raises:
        ValueError: if one does not exist, or none is an image.
    """
    paths: list[Path] = []
    for path in given:
        if not path.exists():
            fail(str(path), "a photo or a folder of photos", "none", "Check the path.")
        inside = [file for file in visible_files(path) if file.suffix.lower() in SUFFIXES] if path.is_dir() else [path]
        if not inside:
            fail(str(path), "a folder with photos", "one without", f"Known are {', '.join(sorted(SUFFIXES))}.")
        paths += inside
    return paths


def predict(artifact: Artifact, photos: Sequence[Path], top: int = 3) -> Iterator[Prediction]:
    """Decode, shrink and classify photo after photo.

    Raises:
        ValueError: if top < 1.
    """
    if top < 1:
        fail("top", "1 or more", str(top), "Start from the default.")
    for photo in photos:
        try:
            image = decode(photo, artifact.card.size, artifact.card.resize)
        except ValueError as error:
            yield Prediction(photo=photo, ranking=[], error=str(error))
            continue
        outputs = artifact(image[None])
        scores, probabilities = outputs["scores"][0], outputs["probabilities"][0]
        best = np.argsort(-scores, kind="stable")[:top]
        ranking = [(artifact.card.names[i], float(probabilities[i]), float(scores[i])) for i in best]
        threshold = artifact.card.threshold
        yield Prediction(photo=photo, ranking=ranking, known=threshold is None or bool(scores.max() >= threshold))


def check_table(path: Path) -> None:
    """A table of predictions can be written at `path`: it replaces an earlier one, and no other file."""
    check_writable(path, overwrite=True)
    if path.exists() and not (path.is_file() and path.read_bytes().startswith(",".join(_HEADER).encode())):
        fail(str(path), "a new file, or earlier predictions to replace", "another one", "Choose another path.")


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """A CSV: photo, rank, class, probability, score, known (0: none of these), error."""
    with (
        atomic_file(path) as staging,
        staging.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for p in predictions:
            for rank, (name, probability, score) in enumerate(p.ranking, 1):
                writer.writerow((p.photo, rank, name, f"{probability:.6g}", f"{score:.6g}", int(p.known), ""))
            if p.error:
                writer.writerow((p.photo, "", "", "", "", "", p.error))
