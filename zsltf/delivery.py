"""The job behind `zsltf export`: write, read back by the real runtime, compare with Keras, and only then publish."""

import hashlib
import itertools
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.bisection import first_batch_dependence, first_difference, first_failure
from zsltf.artifacts.card import Card
from zsltf.artifacts.manifest import MANIFEST, read_manifest, write_manifest
from zsltf.artifacts.model_card import model_card
from zsltf.artifacts.parity import compare
from zsltf.budget import LEAST_PHOTOS, Budget, Found, points
from zsltf.checks import check_choice, fail
from zsltf.classifier import Classifier
from zsltf.data.decode import fitted
from zsltf.data.fitted_photos import FittedPhotos
from zsltf.discovery import names, plugin_type
from zsltf.files import atomic_directory, check_writable
from zsltf.runs import Golden, Run

__all__ = ["Delivered", "ExportOptions", "Proof", "deliver", "prove"]

Precision = Literal["float32", "float16", "dynamic", "int8", "int16x8"]


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
    agreement: float
    """Share of images with the same top class, among those whose margin exceeds the tolerance, or half the spread."""
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


LEAST_AGREEMENT = 0.9
"""Of a file with integer weights; what it costs in accuracy is measured on labelled photos."""
_MARGIN = 0.5
_OTHERWISE_ROUNDED = 1e-4
"""What golden scores may differ by, relative to their spread, in other batches or on other machines."""


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What the exporters are asked for; each takes what it knows."""

    precision: tuple[Precision, ...] = ("float32",)
    """Of the weights: a file each, in the formats that have it. SavedModel is float32, ONNX not dynamic or int16x8."""
    batch: int | None = None
    """Images a call, 0 for any number; by default 1 in TFLite and any number elsewhere."""
    built_in_only: bool = False
    """TFLite with one entry, of the network's own image size, and with metadata: for MediaPipe and accelerators."""
    open_variant: bool = False
    """ONNX a second time, with required class inputs: for OpenVINO, OpenCV and onnxruntime-web."""
    opset: int = 18
    """Of ONNX, 15 to 18."""
    memory: float | None = None
    """Gigabytes that a conversion to ONNX may take; by default what the machine has left."""
    calibrate: Path | None = None
    """Photos, one folder a class, that the run did not train on: ranges of integer files are measured on them."""
    int8: bool = False
    """Also the smallest integer TFLite file within the budget, found on the photos of --calibrate."""
    budget: str = "0.5pt"
    """What that file may cost: percentage points of accuracy, mean over classes."""
    integer_only: bool = False
    """Of the files that --int8 tries, leave out what computes in float32: for accelerators."""

    def exporters(self, formats: str = "all", calibration: np.ndarray | None = None) -> list[Any]:
        """Exporters by name, comma between them, or "all".

        Args:
            formats: saved_model, tflite, onnx.
            calibration: photos of the network's size, for integer precisions.

        Raises:
            ValueError: for an unknown format, near misses are suggested; a precision that none of them has; or an
                integer one without photos.
        """
        known = names("exporters")
        chosen = list(known) if formats == "all" else list(dict.fromkeys(map(str.strip, formats.split(","))))
        for name in chosen:
            check_choice("format", name, (*known, "all"))
        types = [plugin_type("exporters", name) for name in chosen]
        for precision in self.precision:
            check_choice("precision", precision, sorted({p for kind in types for p in kind.PRECISIONS}))
        return [
            self._exporter(kind, precision, calibration)
            for kind in types
            for precision in self.precision
            if precision in kind.PRECISIONS
        ]

    def _exporter(self, kind: Any, precision: str, calibration: np.ndarray | None) -> Any:
        given = {**vars(self), "precision": precision, "calibration": calibration, "batch": self.batch or None}
        if self.batch is None:
            del given["batch"]
        return kind(**{field.name: given[field.name] for field in fields(kind) if field.name in given})

    def search(self) -> Budget | None:
        """For the integer file, if one is asked for.

        Raises:
            ValueError: if there are no photos to search on, or the budget is none.
        """
        if not self.int8:
            return None
        if self.calibrate is None:
            fail("--int8", "labelled photos to calibrate, choose and test on", "none", "Give --calibrate FOLDER.")
        return Budget(points=points(self.budget), integer_only=self.integer_only)


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What an export came to."""

    proofs: tuple[Proof, ...]
    found: Found | None
    """The search for an integer file, if one was asked for."""


def deliver(
    run: Run, out: Path, *, formats: str = "all", options: ExportOptions | None = None, overwrite: bool = False
) -> Delivered:
    """Write every file into `out`, with its manifest; nothing appears there unless every comparison holds.

    Args:
        run: what is exported.
        out: a new folder.
        formats: saved_model, tflite, onnx, some of them with commas between, or all.
        options: of the exporters.
        overwrite: replace an earlier export.

    Raises:
        ValueError: if a file differs from Keras by more than its format's tolerance: the layer where it begins to is
            named. Or if the options, the photos or the run folder don't do.
    """
    options = options or ExportOptions()
    search = options.search()
    options.exporters(formats, None if options.calibrate is None else np.empty((0, 1, 1, 3), np.uint8))  # refused now
    check_writable(out, overwrite=overwrite, ours=_ours(out))
    classifier, golden = run.classifier(), run.golden()
    _check_reload(classifier, golden)
    _check_batches(classifier, golden)
    photos = _photos(classifier, options.calibrate, least=1 if search is None else LEAST_PHOTOS)
    exporters = options.exporters(formats, None if photos is None else photos.images)
    found = None if search is None or photos is None else search.search(classifier, photos)
    exporters += [] if found is None or found.exporter in exporters else [found.exporter]
    with atomic_directory(out, overwrite=overwrite) as folder:
        proofs, artifacts = [], []
        for exporter in exporters:
            proven = list(prove(exporter, classifier, golden, folder))
            _check_proofs(proven, exporter, classifier, golden)
            proofs += proven
            artifacts.append(_described(exporter, proven))
        _write_about(folder, run, classifier, golden, artifacts, found)
    return Delivered(proofs=tuple(proofs), found=found)


def _photos(classifier: Classifier, folder: Path | None, least: int) -> FittedPhotos | None:
    if folder is None:
        return None
    preprocess = Card.of(classifier)
    return FittedPhotos.read(folder, classifier.names, size=preprocess.size, resize=preprocess.resize, least=least)


def prove(exporter: Any, classifier: Classifier, golden: Golden, folder: Path) -> Iterator[Proof]:
    """Write one format and compare it with Keras, for the built-in classes and for four more, at each batch size."""
    file = f"model{exporter.variant}{exporter.SUFFIX}" if exporter.SUFFIX else "saved_model"
    start = time.perf_counter()
    artifact, margin = _written(exporter, classifier, golden, folder / file), exporter.tolerance or _MARGIN
    seconds = time.perf_counter() - start
    megabytes = _size(folder / file) / 1e6
    images = _suited(golden.images, artifact.card)
    pairs = [(classifier, artifact)] + ([_with_four_more(classifier, artifact)] if artifact.card.editable else [])
    for keras_model, read_back in pairs:
        for batch in exporter.batches:
            expected = keras_model.score(images, batch)
            outputs = [read_back(images[i : i + batch]) for i in range(0, len(images), batch)]
            got, probabilities = (np.concatenate([o[name] for o in outputs]) for name in ("scores", "probabilities"))
            yield Proof(
                format=type(exporter).__name__,
                file=file,
                classes=expected.shape[1],
                batch=batch,
                precision=artifact.card.precision,
                tolerance=exporter.tolerance,
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


def _check_proofs(proofs: Sequence[Proof], exporter: Any, classifier: Classifier, golden: Golden) -> None:
    broken = [proof for proof in proofs if not proof.holds]
    if not broken:
        return
    worst = max(broken, key=lambda proof: proof.difference)
    received = f"{worst.difference:.1e} (same top class: {worst.agreement:.0%})"
    if worst.tolerance is None:
        fail(worst.file, "the same top class as Keras", received, "Give other --calibrate photos, or more bits.")
    layer = first_difference(classifier, golden.images, exporter.replay, worst.tolerance)
    where = "no layer by itself differs" if layer is None else f"the first layer that differs is {layer!r}"
    expected = f"scores within {worst.tolerance:.0e} of Keras"
    fail(worst.file, expected, f"{received}; {where}", "The file is not published: change that layer.")


def _write_about(
    folder: Path,
    run: Run,
    classifier: Classifier,
    golden: Golden,
    artifacts: Sequence[Mapping[str, Any]],
    found: Found | None,
) -> None:
    """The golden batch, the model card and the manifest."""
    card, report, config = Card.of(classifier), run.read_json("report.json"), run.read_json("config.json")
    fitted = _fitted(golden.images, card)
    np.savez(
        folder / "golden.npz",
        images=golden.images,
        scores=golden.scores,
        fitted=fitted,
        fitted_scores=classifier.score(fitted),
        labels=np.array(card.names)[golden.scores.argmax(axis=1)],
    )
    (folder / "MODEL_CARD.md").write_text(model_card(card, report, config), "utf-8")
    backbone = report.get("backbone", {})
    semantics = np.asarray(card.semantics, "<f4")
    content = {
        "zsltf": card.zsltf,
        "run": {"folder": run.path.resolve().name, "recipe": report.get("recipe"), "model_sha256": run.digest()},
        "classes": list(card.names),
        "semantics": {"columns": len(card.columns), "sha256": hashlib.sha256(semantics.tobytes()).hexdigest()},
        "preprocessing": {name: getattr(card, name) for name in ("size", "resize", "mean", "scale", "channels")},
        "threshold": card.threshold,
        "weights": {name: backbone.get(name) for name in ("name", "weights", "sha256", "licence")},
        "versions": config["versions"],
        "artifacts": artifacts,
        "quantisation": None if found is None else found.described(),
        "history": [],
    }
    write_manifest(folder, content)


def _described(exporter: Any, proofs: Sequence[Proof]) -> dict[str, Any]:
    """An exported file in the manifest."""
    first = proofs[0]
    options = {f.name: getattr(exporter, f.name) for f in fields(exporter) if f.name != "calibration"}
    return {
        "file": first.file,
        "format": first.format,
        "precision": first.precision,
        "options": options,
        "tolerance": first.tolerance,
        "replay_limit": None if first.tolerance is None else max(first.tolerance, _OTHERWISE_ROUNDED),
        "least_agreement": 1.0 if first.tolerance else LEAST_AGREEMENT,
        "batches": exporter.batches,
        "proofs": [asdict(proof) for proof in proofs],
    }


def _ours(out: Path) -> tuple[str, ...]:
    """What an earlier export has put there, which may be replaced."""
    listed = read_manifest(out)["files"] if (out / MANIFEST).is_file() else {}
    return (MANIFEST, *sorted({Path(name).parts[0] for name in listed}))


def _suited(images: np.ndarray, card: Card) -> np.ndarray:
    return images if card.any_size else _fitted(images, card)


def _fitted(images: np.ndarray, card: Card) -> np.ndarray:
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


def _check_reload(classifier: Classifier, golden: Golden) -> None:
    scores, fix = classifier.score(golden.images), "The run folder was changed: run the recipe again."
    if scores.shape != golden.scores.shape:
        fail("model.keras", "the golden batch's scores", f"those of {scores.shape[1]} classes", fix)
    difference = compare(golden.scores, scores, _OTHERWISE_ROUNDED).difference
    if not difference <= _OTHERWISE_ROUNDED:  # nor NaN
        fail("model.keras", "the golden batch's scores", f"{difference:.1e} off", fix)


def _check_batches(classifier: Classifier, golden: Golden) -> None:
    """BatchNorm left in training mode, for one, makes a row depend on the others; no file would say the same then."""
    alone = classifier.score(golden.images, 1)
    difference = compare(golden.scores, alone, _OTHERWISE_ROUNDED).difference
    if not difference <= _OTHERWISE_ROUNDED:
        layer = first_batch_dependence(classifier, golden.images, _OTHERWISE_ROUNDED)
        where = "" if layer is None else f", from the layer {layer!r} on"
        fix = "BatchNorm in training mode does that: call it with training=False."
        fail("model.keras", "scores that don't depend on the other images", f"{difference:.1e} off alone{where}", fix)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
