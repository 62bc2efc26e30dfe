"""The smallest integer TFLite file whose accuracy stays within a budget, measured on labelled photos."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.fitted_photos import FittedPhotos
from zsltf.data.shares import random_share
from zsltf.exporters.tflite import TFLite
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.metrics.intervals import paired_interval

__all__ = ["LEAST_PHOTOS", "Budget", "Found", "Step", "points"]

_SHARES = (0.2, 0.4)  # for calibration and for the choice; the rest is for the report
LEAST_PHOTOS = 5
"""Of a class, or it would not be in all three sets."""
_FLOAT_LAYERS = (3, 6, 12, 24)
"""How many of the worst operators are tried in float32."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One file that was tried, on the photos for the choice."""

    precision: str
    float_layers: int
    """Operators that compute in float32."""
    megabytes: float
    accuracy: float
    """Mean over classes."""
    agreement: float
    """Share of photos with the top class of the float32 network."""
    within: bool
    """Whether it is within the budget."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The chosen file, and what it costs on photos that neither calibrated nor chose."""

    exporter: TFLite
    chosen: Step
    steps: tuple[Step, ...]
    """All that was tried, in order."""
    points: float
    """The budget."""
    photos: tuple[int, int, int]
    """How many calibrated, chose and are reported on."""
    choice_accuracy: float
    """Of the float32 network on the photos for the choice."""
    accuracy: float
    """Of the file on those of the report, mean over classes."""
    float_accuracy: float
    """The same by the float32 network."""
    interval: tuple[float, float]
    """95 % interval of right answers by the file minus those by the float32 network, drawing photos."""
    agreement: float

    def described(self) -> dict[str, Any]:
        """As plain JSON, without the photos."""
        return {name: value for name, value in asdict(replace(self, exporter=TFLite())).items() if name != "exporter"}


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much accuracy an integer file may cost."""

    points: float = 0.5
    """Percentage points of the mean per-class accuracy, > 0."""
    integer_only: bool = False
    """Leave out files that compute in float32: those with integers for weights alone, or with float32 operators."""
    seed: int = 0
    """Of the deal of photos into three sets."""

    def __post_init__(self) -> None:
        check_positive("Budget", points=self.points)

    def search(self, classifier: Classifier, photos: FittedPhotos) -> Found:
        """Try precision after precision; keep the smallest within the budget.

        Activations in 16 bits and float32 operators make a file larger and slower: they are tried only where plain int8
        is not within the budget.

        Args:
            classifier: from images.
            photos: labelled, that it was not trained on.

        Raises:
            ValueError: if no file is within the budget.
        """
        calibration, choice, test = (photos.select(rows) for rows in _deal(photos.y, self.seed))
        expected = _Answers.of_classifier(classifier, choice)
        tried: list[tuple[TFLite, Step]] = []
        for exporter in self._candidates(classifier, calibration):
            tried.append((exporter, self._try(exporter, classifier, choice, expected)))
            if tried[-1][1].within and exporter.precision != "dynamic":
                break
        good = [(exporter, step) for exporter, step in tried if step.within]
        if not good:
            best = max(step.accuracy for _, step in tried)
            received = f"at best {best:.3f} against {expected.accuracy:.3f}"
            fail("int8", f"a file within {self.points:g} points", received, "Raise --budget, or give more photos.")
        exporter, chosen = min(good, key=lambda pair: pair[1].megabytes)
        in_float, in_integers = _Answers.of_classifier(classifier, test), _written(exporter, classifier, test)[0]
        return Found(
            exporter=exporter,
            chosen=chosen,
            steps=tuple(step for _, step in tried),
            points=self.points,
            photos=(len(calibration), len(choice), len(test)),
            choice_accuracy=expected.accuracy,
            accuracy=in_integers.accuracy,
            float_accuracy=in_float.accuracy,
            interval=paired_interval(in_integers.right.astype(float), in_float.right.astype(float)),
            agreement=in_integers.agreement(in_float),
        )

    def _candidates(self, classifier: Classifier, calibration: FittedPhotos) -> Iterator[TFLite]:
        integer = TFLite(precision="int8", calibration=calibration.images)
        if not self.integer_only:
            yield TFLite(precision="dynamic")
        yield integer
        yield replace(integer, precision="int16x8")
        if not self.integer_only:
            worst = integer.worst_layers(classifier)
            for count in _FLOAT_LAYERS[: np.searchsorted(_FLOAT_LAYERS, len(worst), side="right")]:
                yield replace(integer, float_layers=tuple(worst[:count]))

    def _try(self, exporter: TFLite, classifier: Classifier, choice: FittedPhotos, expected: "_Answers") -> Step:
        answers, megabytes = _written(exporter, classifier, choice)
        return Step(
            precision=exporter.precision,
            float_layers=len(exporter.float_layers),
            megabytes=megabytes,
            accuracy=answers.accuracy,
            agreement=answers.agreement(expected),
            within=expected.accuracy - answers.accuracy <= self.points / 100 + 1e-9,
        )


def points(text: str) -> float:
    """Percentage points from "0.5pt" or "0.5".

    Raises:
        ValueError: if the text is something else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(?:pt)?", text.strip())
    if found is None:
        fail("budget", "percentage points such as 0.5pt", repr(text), "Give --budget 0.5pt.")
    return float(found[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Answers:
    """The top class of every photo, and the right one."""

    top: Int[np.ndarray, " N"]
    y: Int[np.ndarray, " N"]

    @classmethod
    def of_classifier(cls, classifier: Classifier, photos: FittedPhotos) -> "_Answers":
        return cls(top=classifier.score(photos.images).argmax(axis=1), y=photos.y)

    @property
    def right(self) -> Bool[np.ndarray, " N"]:
        return self.top == self.y

    @property
    def accuracy(self) -> float:
        return mean_class_accuracy(self.y, self.top)

    def agreement(self, other: "_Answers") -> float:
        return float((self.top == other.top).mean())


def _written(exporter: TFLite, classifier: Classifier, photos: FittedPhotos) -> tuple[_Answers, float]:
    """The answers of a file, and its megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tflite")
        exporter.write(classifier, path)
        artifact = exporter.read(path)
        top = [int(artifact(image[None])["scores"].argmax()) for image in photos.images]
        return _Answers(top=np.array(top), y=photos.y), path.stat().st_size / 1e6


def _deal(y: Int[np.ndarray, " N"], seed: int) -> Iterator[np.ndarray]:
    """Rows for calibration, for the choice and for the report, each class alike."""
    first = random_share(y, _SHARES[0], seed)
    second = np.zeros(len(y), bool)
    second[~first] = random_share(y[~first], _SHARES[1] / (1 - _SHARES[0]), seed + 1)
    return (np.flatnonzero(mask) for mask in (first, second, ~first & ~second))
