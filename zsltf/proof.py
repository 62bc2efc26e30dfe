"""The proof of an exported file: its runtime says of the golden photos what Keras says."""

import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.bisection import first_failure
from zsltf.artifacts.card import Card
from zsltf.artifacts.parity import compare
from zsltf.classifier import Classifier
from zsltf.data.decode import fitted
from zsltf.runs import Golden

__all__ = ["LEAST_AGREEMENT", "Proof", "fitted_images", "prove"]

LEAST_AGREEMENT = 0.9
"""Of a file with integer weights; what it costs in accuracy is measured on labelled photos."""
_MARGIN = 0.5
"""Of the spread, where integers round."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One comparison of an exported file with Keras on the golden batch."""

    format: str
    file: str
    classes: int
    """Built-in classes, or more by the open entry."""
    batch: int
    precision: str
    """Of the weights."""
    difference: float
    """Of scores, relative to their spread over classes."""
    tolerance: float | None
    """None where weights are integers: agreement is the measure then."""
    margin: float
    """Of the spread: between classes that are nearer to each other, rounding decides."""
    agreement: float
    """Share of images with the same top class, or one that Keras scores less than `margin` below it."""
    probability_error: float
    """Largest difference between the file's probabilities and those that Keras makes of the file's scores."""
    megabytes: float
    seconds: float
    """To write the file and run it once."""

    @property
    def holds(self) -> bool:
        """Whether the file says what Keras says."""
        if self.tolerance is None:
            return self.agreement >= LEAST_AGREEMENT
        return self.difference <= self.tolerance and self.agreement == 1.0 and self.probability_error <= 1e-5


def prove(exporter: Any, classifier: Classifier, golden: Golden, folder: Path) -> Iterator[Proof]:
    """Write one format and compare it with Keras, for the built-in classes and for four more, at each batch size.

    An open variant beside the file is compared in the same way.
    """
    file = f"model{exporter.variant}{exporter.SUFFIX}" if exporter.SUFFIX else "saved_model"
    start = time.perf_counter()
    artifact = _written(exporter, classifier, golden, folder / file)
    seconds = time.perf_counter() - start
    yield from _compared(exporter, classifier, golden, artifact, folder / file, seconds)
    if getattr(exporter, "open_variant", False):
        path = exporter.open_path(folder / file)
        yield from _compared(exporter, classifier, golden, exporter.read(path), path, seconds)


def _compared(
    exporter: Any, classifier: Classifier, golden: Golden, artifact: Artifact, path: Path, seconds: float
) -> Iterator[Proof]:
    margin, megabytes = exporter.tolerance or _MARGIN, _size(path) / 1e6
    images = _suited(golden.images, artifact.card)
    pairs = [(classifier, artifact)] + ([_with_four_more(classifier, artifact)] if artifact.card.editable else [])
    for keras_model, read_back in pairs:
        for batch in exporter.batches:
            expected = keras_model.score(images, batch)
            outputs = [read_back(images[i : i + batch]) for i in range(0, len(images), batch)]
            got, probabilities = (np.concatenate([o[name] for o in outputs]) for name in ("scores", "probabilities"))
            yield Proof(
                format=type(exporter).__name__,
                file=path.name,
                classes=expected.shape[1],
                batch=batch,
                precision=artifact.card.precision,
                tolerance=exporter.tolerance,
                margin=margin,
                probability_error=float(np.abs(probabilities - np.asarray(keras_model.probabilities(got))).max()),
                megabytes=megabytes,
                seconds=seconds,
                **asdict(compare(expected, got, margin)),
            )


def _written(exporter: Any, classifier: Classifier, golden: Golden, path: Path) -> Artifact:
    """The file, read back by its runtime; a layer that the format can't express is named."""
    try:
        exporter.write(classifier, path)
        artifact: Artifact = exporter.read(path)
        artifact(_suited(golden.images[:1], artifact.card))
    except (OSError, MemoryError):
        raise
    except Exception as error:
        layer = first_failure(classifier, golden.images, exporter.replay)
        if layer is None:
            raise
        found = re.search(r"'tf\.(\w+)' op|No Op registered for (\w+)|op_type:(\w+)|(control flow)", str(error))
        operation = next(filter(None, found.groups())) if found else str(error).strip().partition("\n")[0][:200]
        fix = "Compute it by other Keras operations, or export to saved_model, which has all of TensorFlow's."
        expected = f"layers that {type(exporter).__name__} can express"
        raise ValueError(f"{path.name}: expected {expected}, received {layer!r} with {operation}. {fix}") from error
    return artifact


def _suited(images: np.ndarray, card: Card) -> np.ndarray:
    return images if card.any_size else fitted_images(images, card)


def fitted_images(images: np.ndarray, card: Card) -> np.ndarray:
    """The same at the network's own size, as the file's door makes them."""
    return np.stack([fitted(image, card.size, card.resize) for image in images])


def _with_four_more(classifier: Classifier, artifact: Artifact) -> tuple[Classifier, Artifact]:
    """The same four random classes added to both sides: through `project` where semantics open the Classifier."""
    table, rng = classifier.classes, np.random.default_rng(0)
    free = (name for i in itertools.count() if (name := f"new class {i}") not in table.names)
    names = tuple(itertools.islice(free, 4))
    if "semantics" in classifier.opens_by:
        mean, deviation = table.semantics.mean(axis=0), table.semantics.std(axis=0)
        rows = rng.normal(mean, deviation, (4, len(table.columns)))
        new = type(table)(names=names, semantics=rows, seen=np.zeros(4, bool), columns=table.columns)
        return classifier.with_classes(new), artifact.with_classes(new)
    vectors = artifact.class_vectors
    more = rng.normal(vectors.mean(axis=0), vectors.std(axis=0), (4, *vectors.shape[1:])).astype(np.float32)
    bias = np.append(artifact.class_bias, np.zeros(4, np.float32))
    both = np.concatenate([vectors, more])
    extended = classifier.extended(names, more)
    return extended, artifact.with_table(extended.classes, both, bias)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
