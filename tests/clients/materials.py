"""What every client gets: EfficientNet-Lite0 with a zero-shot head, its files, photos and what Keras says of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.backbones.efficientnet_lite import efficientnet_lite0
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.decode import decode, fitted
from zsltf.data.images import ImageFolder
from zsltf.exporters._tflite_fixed import FixedTFLite
from zsltf.exporters.onnx import Onnx
from zsltf.exporters.saved_model import SavedModel
from zsltf.exporters.tflite import TFLite
from zsltf.pretrained.extract import extract_features
from zsltf.zeroshot.eszsl import ESZSL

ADDED = "zebra"
"""The class that the files are written without and get afterwards, by its attributes."""
_TRAINING, _CALIBRATION, _PHOTOS = 4, 2, 20  # photos a class, the next ones of each class, photos to classify
_GAMMA = 0.35  # so that the photo of ADDED, the last one, is recognised


@dataclass(frozen=True, kw_only=True, eq=False)
class Materials:
    """A Classifier as Keras runs it, and in every kind of file."""

    tables: dict[bool, tuple[np.ndarray, np.ndarray]]
    """Class vectors and bias: without ADDED, and with it."""
    files: dict[str, Path]
    """Name -> file."""
    edited: dict[str, Path]
    """The same with ADDED written into the file's own table, where it has one that can be."""
    limits: dict[str, float | None]
    """Of a file's difference from Keras, relative to the scores' spread; None where weights are integers."""
    photos: list[np.ndarray]
    """(1, H, W, 3) uint8, of their own sizes; no file was trained or calibrated on them."""
    fitted: list[np.ndarray]
    """The same at the network's size, for files and clients that take no other."""
    keras: dict[tuple[bool, bool], np.ndarray]
    """Scores by whether ADDED is there, and whether the photos are fitted."""


def build(animals: Path, folder: Path) -> Materials:
    """Fit on a few photos of each class but one, and export; a minute or two.

    Args:
        animals: `images/`, one folder a class, and `attributes.csv`.
        folder: that the files are written to.
    """
    table = ClassTable.from_csv(animals / "attributes.csv")
    images = ImageFolder.read(animals / "images", table.names)
    place = np.concatenate([np.arange(np.sum(images.y == label)) for label in range(len(table))])  # in its class
    plain = _fitted_classifier(table, images.select(place < _TRAINING), folder)
    extended = plain.with_classes(table.select([table.names.index(ADDED)]))
    next_ones = np.flatnonzero((place >= _TRAINING) & (place < _TRAINING + _CALIBRATION))
    calibration = np.concatenate([_at_size(_photo(images, row)) for row in next_ones])
    last = np.flatnonzero(place == place.max())
    some = np.linspace(0, len(last) - 1, _PHOTOS - 1).round().astype(int)
    photos = [_photo(images, row) for row in (*last[some], last[table.names.index(ADDED)])]
    sized, classifiers = [_at_size(photo) for photo in photos], {False: plain, True: extended}
    files, edited, limits = {}, {}, {}
    for exporter in _exporters(calibration):
        path = folder / (f"model{exporter.variant}{exporter.SUFFIX}" if exporter.SUFFIX else "saved_model")
        exporter.write(plain, path)
        files[path.name] = path
        artifact = exporter.read(path)
        if artifact.card.editable and not isinstance(exporter, FixedTFLite):
            (folder / "edited").mkdir(exist_ok=True)
            edited[path.name] = folder / "edited" / path.name
            exporter.edit(path, edited[path.name], artifact.with_classes(extended.classes.select([-1])))
        if isinstance(exporter, Onnx):
            files[exporter.open_path(path).name] = exporter.open_path(path)
        limits |= dict.fromkeys(files.keys() - limits.keys(), exporter.tolerance)
    return Materials(
        tables={added: (_array(of.class_vectors), _array(of.class_bias)) for added, of in classifiers.items()},
        files=files,
        edited=edited,
        limits=limits,
        photos=photos,
        fitted=sized,
        keras={
            (added, at_size): np.concatenate([of.score(photo) for photo in (sized if at_size else photos)])
            for added, of in classifiers.items()
            for at_size in (False, True)
        },
    )


def _array(numbers: Any) -> np.ndarray:
    return np.asarray(numbers, np.float32)


def _fitted_classifier(table: ClassTable, images: ImageFolder, folder: Path) -> Classifier:
    """Without ADDED: neither its photos nor its row."""
    known = table.select([i for i, name in enumerate(table.names) if name != ADDED])
    images = images.select(images.y != table.names.index(ADDED))
    images = images.with_y(np.array([known.names.index(table.names[label]) for label in images.y]))
    backbone = efficientnet_lite0()
    features = extract_features(backbone, images, cache=folder / "features").features
    fit = ESZSL().fit(features, known.with_seen(np.ones(len(known), bool)))
    return fit.after(backbone.features(), preprocess=backbone.preprocess).calibrate(gamma=_GAMMA)


def _exporters(calibration: np.ndarray) -> list[SavedModel | TFLite | FixedTFLite | Onnx]:
    """Every kind of file."""
    return [
        SavedModel(),
        *(
            TFLite(precision=precision, calibration=calibration)
            for precision in ("float32", "float16", "dynamic", "int8")
        ),
        *(
            TFLite(precision=precision, built_in_only=True, calibration=calibration)
            for precision in ("float32", "int8")
        ),
        FixedTFLite(),
        *(
            Onnx(precision=precision, open_variant=True, calibration=calibration)
            for precision in ("float32", "float16", "int8")
        ),
    ]


def _photo(images: ImageFolder, row: int) -> np.ndarray:
    return decode(images.root / images.paths[row], 224)[None]


def _at_size(photo: np.ndarray) -> np.ndarray:
    return fitted(photo[0], 224, "stretch")[None]
