"""The job behind `zsltf export`: write, read back by the real runtime, compare with Keras, and only then publish."""

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.parity import compare
from zsltf.checks import check_choice, fail
from zsltf.classifier import Classifier
from zsltf.discovery import names, plugin_type
from zsltf.files import atomic_directory, check_writable
from zsltf.runs import Golden, Run

__all__ = ["Proof", "deliver", "exporters"]


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One comparison of an exported file with Keras on the golden batch."""

    format: str
    file: str
    classes: int
    """Built-in classes, or more by the open entry."""
    batch: int
    difference: float
    """Of scores, relative to their spread over classes."""
    tolerance: float
    agreement: float
    """Share of images with the same top class, among those whose margin exceeds the tolerance."""
    probability_error: float
    """Largest difference between the file's probabilities and those that Keras makes of the file's scores."""
    megabytes: float
    seconds: float
    """To write the file."""

    @property
    def holds(self) -> bool:
        """Whether the file says what Keras says."""
        return self.difference <= self.tolerance and self.agreement == 1.0 and self.probability_error <= 1e-5


_FILES = (
    "parity.json",
    "saved_model",
    *(f"model{kind}.{end}" for kind in ("", ".project") for end in ("onnx", "tflite")),
)
"""All that zsltf puts into an export's folder."""


def exporters(formats: str) -> list[Any]:
    """Exporters by name, comma between them, or "all".

    Raises:
        ValueError: for an unknown format; near misses are suggested.
    """
    known = names("exporters")
    chosen = list(known) if formats == "all" else list(dict.fromkeys(map(str.strip, formats.split(","))))
    for name in chosen:
        check_choice("format", name, (*known, "all"))
    return [plugin_type("exporters", name)() for name in chosen]


def deliver(run: Run, exporters: Sequence[Any], out: Path, *, overwrite: bool = False) -> list[Proof]:
    """Write every format into `out`, with `parity.json`; nothing appears there unless every comparison holds.

    Raises:
        ValueError: if a file differs from Keras by more than its format's tolerance.
    """
    check_writable(out, overwrite=overwrite, ours=_FILES)
    classifier, golden = run.classifier(), run.golden()
    _check_reload(classifier, golden)
    with atomic_directory(out, overwrite=overwrite) as folder:
        proofs = [proof for exporter in exporters for proof in prove(exporter, classifier, golden, folder)]
        broken = [proof for proof in proofs if not proof.holds]
        if broken:
            worst = max(broken, key=lambda proof: proof.difference)
            received = f"{worst.difference:.1e} (same top class: {worst.agreement:.0%})"
            fail(worst.file, f"scores within {worst.tolerance:.0e} of Keras", received, "The file is not published.")
        (folder / "parity.json").write_text(json.dumps([asdict(proof) for proof in proofs], indent=1), "utf-8")
    return proofs


def prove(exporter: Any, classifier: Classifier, golden: Golden, folder: Path) -> Iterator[Proof]:
    """Write one format and compare it, for the built-in classes and for four more, at each batch size it takes."""
    file = f"model{exporter.SUFFIX}" if exporter.SUFFIX else "saved_model"
    start = time.perf_counter()
    exporter.write(classifier, folder / file)
    seconds = time.perf_counter() - start
    megabytes = _size(folder / file) / 1e6
    artifact = exporter.read(folder / file)
    for keras_model, read_back in ((classifier, artifact), _with_four_more(classifier, artifact)):
        for batch in exporter.BATCHES:
            parts = [golden.images[i : i + batch] for i in range(0, len(golden.images), batch)]
            expected = np.concatenate([keras_model.score(part) for part in parts])
            outputs = [read_back(part) for part in parts]
            got, probabilities = (np.concatenate([o[name] for o in outputs]) for name in ("scores", "probabilities"))
            yield Proof(
                format=type(exporter).__name__,
                file=file,
                classes=expected.shape[1],
                batch=batch,
                tolerance=exporter.TOLERANCE,
                probability_error=float(np.abs(probabilities - np.asarray(keras_model.probabilities(got))).max()),
                megabytes=megabytes,
                seconds=seconds,
                **asdict(compare(expected, got, exporter.TOLERANCE)),
            )


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
    return classifier.extended(names, more), artifact.with_table((*table.names, *names), both, bias)


def _check_reload(classifier: Classifier, golden: Golden) -> None:
    scores, fix = classifier.score(golden.images), "The run folder was changed: run the recipe again."
    if scores.shape != golden.scores.shape:
        fail("model.keras", "the golden batch's scores", f"those of {scores.shape[1]} classes", fix)
    difference = compare(golden.scores, scores, 1e-4).difference
    if not difference <= 1e-4:  # nor NaN
        fail("model.keras", "the golden batch's scores", f"{difference:.1e} off", fix)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
