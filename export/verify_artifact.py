"""Verify exported files anywhere: hashes, labels, replay of the golden photos, and that no row depends on its batch.

python verify_artifact.py EXPORT        (a folder with manifest.json, or one file in it; status 1 if anything fails)
Needs NumPy and the runtime of each file: onnxruntime, ai_edge_litert or tensorflow. It does not need zsltf.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

Run = Callable[[np.ndarray], dict[str, np.ndarray]]


class Check(NamedTuple):
    """One line of the table."""

    file: str
    what: str
    passed: bool
    detail: str


def main() -> int:
    """Print the checks as they are made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifact", type=Path, help="the folder of an export, or a file or SavedModel in it")
    return int(not all(check.passed for check in shown(verify(parser.parse_args().artifact))))


def shown(checks: Iterator[Check]) -> list[Check]:
    """The checks, each printed as soon as it is made."""
    made = []
    for check in checks:
        print(f"{'ok    ' if check.passed else 'FAILED'}  {check.file:20}  {check.what}: {check.detail}", flush=True)
        made.append(check)
    return made


def verify(path: Path) -> Iterator[Check]:
    """Every check of an export, or of one of its files."""
    folder = path if (path / "manifest.json").is_file() else path.parent
    if not (folder / "manifest.json").is_file():
        sys.exit(f"{path}: expected an export with manifest.json, received none. Give the folder of zsltf export.")
    with unedited(folder):
        yield from _checks(folder, None if folder == path else path.name)


@contextlib.contextmanager
def unedited(folder: Path) -> Iterator[None]:
    """While zsltf edits nothing there, on systems that have such locks."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def _checks(folder: Path, wanted: str | None) -> Iterator[Check]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        yield from _hashes(folder, manifest, wanted)
        artifacts = [entry for entry in manifest["artifacts"] if wanted in (None, entry["file"])]
        outside = [entry["file"] for entry in artifacts if not _is_listed(entry["file"], manifest["files"])]
    except DAMAGED as error:
        yield Check("manifest.json", "reads", False, _told(error))
        return
    if outside:
        yield Check("manifest.json", "lists its artifacts", False, f"no hash of {outside[0]!s:.60}")
        return
    if not artifacts:
        yield Check(wanted or "manifest.json", "is listed", False, "the manifest has no such artifact")
        return
    try:
        with np.load(folder / "golden.npz", allow_pickle=False) as arrays:
            golden = dict(arrays)
    except DAMAGED as error:
        yield Check("golden.npz", "reads", False, _told(error))
        return
    for artifact in artifacts:
        try:
            yield from _file(folder, artifact, manifest, golden)
        except Exception as error:  # noqa: BLE001 (runtimes raise of every kind)
            yield Check(artifact["file"], "runs", False, _told(error))


DAMAGED = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    MemoryError,
    RecursionError,
    zipfile.BadZipFile,
)
"""What reading raises where something else is written than was expected."""


def _is_listed(file: Any, files: dict[str, Any]) -> bool:
    """Whether an artifact is a file or a folder whose hashes were checked, so that it lies in the export."""
    return isinstance(file, str) and any(name == file or name.startswith(f"{file}/") for name in files)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:300]}"


def _hashes(folder: Path, manifest: dict[str, Any], wanted: str | None) -> Iterator[Check]:
    files = manifest["files"]
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json"}
    stopped = {name for name in there if re.match(r"\.[^/]+\.(partial|old)/", name)}  # of writes that were killed
    for name in sorted((there - stopped) | set(files)):
        if wanted is not None and name.split("/")[0] not in (wanted, "golden.npz", _project_of(wanted)):
            continue
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield Check(name, "hash", False, "outside the folder")
            continue
        if name not in there or name not in files:
            yield Check(name, "hash", False, "missing" if name in files else "not in the manifest")
            continue
        digest, listed = hashlib.sha256((folder / name).read_bytes()).hexdigest(), files[name]["sha256"]
        detail = digest[:12] if digest == listed else f"{digest[:12]}, not {listed[:12]}"
        if digest != listed and digest in [step["before"].get(name) for step in manifest["history"][-1:]]:
            detail += ": its last edit was stopped midway; edit it once more"
        yield Check(name, "hash", digest == listed, detail)


def _project_of(name: str) -> str:
    """The file beside this one that makes class vectors of semantics; it may not exist."""
    stem, _, suffix = name.replace(".open.", ".").rpartition(".")
    return f"{stem}.project.{suffix}"


def _file(folder: Path, artifact: dict[str, Any], manifest: dict[str, Any], golden: dict[str, Any]) -> Iterator[Check]:
    name = artifact["file"]
    names, rows = _history(manifest, name)
    labels, any_size, run = READERS[artifact["format"]](folder / name, golden)
    if labels is not None:
        same = labels == names
        yield Check(name, "labels", same, f"{len(labels)} as in the manifest" if same else "others")
    images, expected = (golden[key] for key in (("images", "scores") if any_size else ("fitted", "fitted_scores")))
    kept = [i for i, row in enumerate(rows) if row >= 0]
    got = {batch: _in_batches(run, images, batch) for batch in artifact["batches"]}
    for batch, outputs in got.items():
        if not kept:
            yield Check(name, f"replay, batch {batch}", True, "left out: no class of the golden scores is left")
            continue
        wanted = expected[:, [rows[i] for i in kept]]
        yield _replay(name, batch, outputs["scores"][:, kept], wanted, artifact)
    alone, together = (got[batch]["scores"] for batch in (min(got), max(got)))
    if len(got) > 1:
        spread = np.median(together.std(axis=1)) or 1.0
        gap = float(np.abs(alone - together).max() / spread)
        limit = artifact["replay_limit"] or 0.5
        yield Check(name, "a row alone is the row in its batch", gap <= limit, f"{gap:.1e} (limit {limit:.0e})")
    if names == manifest["classes"] and any_size:
        same = alone.argmax(axis=1) == expected.argmax(axis=1)
        answers = np.array(names)[alone.argmax(axis=1)]
        share = float(np.mean(answers[same] == golden["labels"][same])) if same.any() else 1.0
        yield Check(name, "names of the golden answers", share == 1.0, f"{share:.0%}")


def _history(manifest: dict[str, Any], file: str) -> tuple[list[str], list[int]]:
    """A file's classes after its edits, and the row of the golden scores that each of them is, -1 if it is none."""
    names, rows = manifest["classes"], list(range(len(manifest["classes"])))
    for step in manifest["history"]:
        if step["file"] == file:
            names, rows = step["classes"], [rows[i] if i >= 0 else -1 for i in step["rows"]]
    return names, rows


def _replay(name: str, batch: int, scores: np.ndarray, expected: np.ndarray, artifact: dict[str, Any]) -> Check:
    spread = np.median(expected.std(axis=1)) if expected.shape[1] > 1 else np.median(np.abs(expected))
    gap = float(np.abs(scores - expected).max() / spread)
    chosen = np.take_along_axis(expected, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
    margin = max(artifact["replay_limit"] or 0.0, artifact["margin"])  # between nearer classes, rounding decides
    agreement = float((expected.max(axis=1) - chosen <= margin * spread).mean())
    if artifact["replay_limit"] is None:
        passed, limit = agreement >= artifact["least_agreement"], "judged by its top classes"
    else:
        passed, limit = gap <= artifact["replay_limit"], f"limit {artifact['replay_limit']:.0e}"
    return Check(name, f"replay, batch {batch}", passed, f"{gap:.1e} ({limit}), same top class {agreement:.0%}")


def _in_batches(run: Run, images: np.ndarray, batch: int) -> dict[str, np.ndarray]:
    padded = np.concatenate([images, np.repeat(images[-1:], -len(images) % batch, axis=0)])
    parts = [run(padded[i : i + batch]) for i in range(0, len(padded), batch)]
    return {name: np.concatenate([part[name] for part in parts])[: len(images)] for name in ("scores", "probabilities")}


def _onnx(path: Path, golden: dict[str, Any]) -> tuple[list[str] | None, bool, Run]:
    """An open variant has no labels; it gets the class table of the golden scores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    table = {given.name: golden[given.name] for given in session.get_inputs() if given.name != "images"}
    labels = None if table else json.loads(session.get_modelmeta().custom_metadata_map["zsltf"])["names"]
    outputs = ["scores", "probabilities"]

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(outputs, session.run(outputs, {"images": images, **table}), strict=True))

    return labels, True, run


def _tflite(path: Path, _: dict[str, Any]) -> tuple[list[str], bool, Run]:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        from tensorflow.lite import Interpreter

    with zipfile.ZipFile(path) as archive:
        labels = archive.read("labels.txt").decode("utf-8").split("\n")
        card = json.loads(archive.read("zsltf.json"))
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    scales = {name: detail["quantization"] for name, detail in runner.get_output_details().items()}

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        outputs = runner(images=images)
        return {name: _real(outputs[name], *scales[name]) for name in ("scores", "probabilities")}

    return labels if labels == card["names"] else [], card["any_size"], run


def _real(values: np.ndarray, scale: float, zero: int) -> np.ndarray:
    return (values.astype(np.float32) - zero) * scale if scale else values


def _saved_model(path: Path, _: dict[str, Any]) -> tuple[list[str], bool, Run]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    labels = (path / "assets" / "labels.txt").read_text("utf-8").split("\n")
    table = [name.decode("utf-8") for name in loaded.signatures["table"](rows=tf.zeros(0, tf.int32))["names"].numpy()]

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        outputs = loaded.signatures["serving_default"](images=tf.constant(images))
        return {name: outputs[name].numpy() for name in ("scores", "probabilities")}

    return labels if labels == table else [], True, run


READERS = {"Onnx": _onnx, "TFLite": _tflite, "SavedModel": _saved_model}

if __name__ == "__main__":
    sys.exit(main())
