"""The job behind `zsltf export`: write, read back by the real runtime, compare with Keras, and only then publish."""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.artifacts.bisection import first_batch_dependence, first_difference
from zsltf.artifacts.card import Card
from zsltf.artifacts.graph import table
from zsltf.artifacts.manifest import GOLDEN, MANIFEST, read_manifest, write_manifest
from zsltf.artifacts.model_card import model_card
from zsltf.artifacts.parity import compare
from zsltf.budget import LEAST_PHOTOS, Found
from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.fitted_photos import FittedPhotos
from zsltf.export_options import ExportOptions
from zsltf.files import atomic_directory, check_writable
from zsltf.proof import LEAST_AGREEMENT, Proof, fitted_images, prove
from zsltf.runs import Golden, Run

__all__ = ["Delivered", "deliver"]

_OTHERWISE_ROUNDED = 1e-4
"""What golden scores may differ by, relative to their spread, in other batches or on other machines."""


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What an export came to."""

    proofs: tuple[Proof, ...]
    found: Found | None
    """The search for an integer file, if one was asked for."""
    opens_by: tuple[str, ...]
    """The Classifier's doors for a new class."""


def deliver(
    run: Run,
    out: Path,
    *,
    formats: str = "all",
    options: ExportOptions | None = None,
    exporters: Sequence[Any] = (),
    overwrite: bool = False,
) -> Delivered:
    """Write every file into `out`, with its manifest; nothing appears there unless every comparison holds.

    Args:
        run: what is exported.
        out: a new folder.
        formats: saved_model, tflite, onnx, some of them with commas between, or all.
        options: of the exporters.
        exporters: in place of those that formats and options name.
        overwrite: replace an earlier export.

    Raises:
        ValueError: if a file differs from Keras by more than its format's tolerance: the layer where it begins to is
            named. Or if the options, the photos or the run folder don't do.
    """
    options = options or ExportOptions()
    search = options.search()
    if not exporters:  # refused now
        options.exporters(formats, None if options.calibrate is None else np.empty((0, 1, 1, 3), np.uint8))
    check_writable(out, overwrite=overwrite, ours=_ours(out))
    classifier, golden = run.classifier(), run.golden()
    _check_reload(classifier, golden)
    _check_batches(classifier, golden)
    photos = _photos(classifier, options.calibrate, least=1 if search is None else LEAST_PHOTOS)
    exporters = list(exporters) or options.exporters(formats, None if photos is None else photos.images)
    found = None if search is None or photos is None else search.search(classifier, photos)
    exporters += [] if found is None or found.exporter in exporters else [found.exporter]
    with atomic_directory(out, overwrite=overwrite) as folder:
        proofs, artifacts = [], []
        for exporter in exporters:
            proven = list(prove(exporter, classifier, golden, folder))
            _check_proofs(proven, exporter, classifier, golden)
            proofs += proven
            of_each = itertools.groupby(proven, key=lambda proof: proof.file)
            artifacts += [_described(exporter, list(group)) for _, group in of_each]
        _write_about(folder, run, classifier, golden, artifacts, found)
    return Delivered(proofs=tuple(proofs), found=found, opens_by=classifier.opens_by)


def _photos(classifier: Classifier, folder: Path | None, least: int) -> FittedPhotos | None:
    if folder is None:
        return None
    preprocess = Card.of(classifier)
    return FittedPhotos.read(folder, classifier.names, size=preprocess.size, resize=preprocess.resize, least=least)


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
    """The golden batch with the class table, the model card and the manifest."""
    card, report, config = Card.of(classifier), run.read_json("report.json"), run.read_json("config.json")
    fitted = fitted_images(golden.images, card)
    arrays: dict[str, Any] = {
        "images": golden.images,
        "scores": golden.scores,
        "fitted": fitted,
        "fitted_scores": classifier.score(fitted),
        "labels": np.array(card.names)[golden.scores.argmax(axis=1)],
        **table(classifier),
    }
    np.savez(folder / GOLDEN, **arrays)
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
        "margin": first.margin,
        "least_agreement": 1.0 if first.tolerance else LEAST_AGREEMENT,
        "batches": exporter.batches,
        "proofs": [asdict(proof) for proof in proofs],
    }


def _ours(out: Path) -> tuple[str, ...]:
    """What an earlier export has put there, which may be replaced."""
    listed = read_manifest(out)["files"] if (out / MANIFEST).is_file() else {}
    return (MANIFEST, *sorted({Path(name).parts[0] for name in listed}))


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
