"""Verify exported files anywhere: hashes, labels, replay of the golden photos, and that no row depends on its batch.

python verify_artifact.py EXPORT        (a folder with manifest.json, or one file in it; status 1 if anything fails)
Needs NumPy and the runtime of each file: onnxruntime, ai_edge_litert or tensorflow. It does not need zsltf.
"""

import argparse
import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Run = Callable[[np.ndarray], dict[str, np.ndarray]]


class Check(NamedTuple):
    """One line of the table."""

    file: str
    what: str
    passed: bool
    detail: str


def main() -> int:
    """Print a table of checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifact", type=Path, help="the folder of an export, or a file or SavedModel in it")
    path = parser.parse_args().artifact
    checks = list(verify(path))
    width = max(len(check.file) for check in checks)
    for check in checks:
        print(f"{'ok    ' if check.passed else 'FAILED'}  {check.file:{width}}  {check.what}: {check.detail}")
    return int(not all(check.passed for check in checks))


def verify(path: Path) -> Iterator[Check]:
    """Every check of an export, or of one of its files."""
    folder = path if (path / "manifest.json").is_file() else path.parent
    if not (folder / "manifest.json").is_file():
        sys.exit(f"{path}: expected an export with manifest.json, received none. Give the folder of zsltf export.")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    wanted = None if folder == path else path.name
    yield from _hashes(folder, manifest["files"], wanted)
    with np.load(folder / "golden.npz", allow_pickle=False) as arrays:
        golden = dict(arrays)
    for artifact in manifest["artifacts"]:
        if wanted in (None, artifact["file"]):
            yield from _file(folder, artifact, manifest, golden)


def _hashes(folder: Path, files: dict[str, Any], wanted: str | None) -> Iterator[Check]:
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json"}
    for name in sorted(there | set(files)):
        if wanted is not None and name.split("/")[0] not in (wanted, "golden.npz"):
            continue
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield Check(name, "hash", False, "outside the folder")
            continue
        if name not in there or name not in files:
            yield Check(name, "hash", False, "missing" if name in files else "not in the manifest")
            continue
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        same = digest == files[name]["sha256"]
        yield Check(name, "hash", same, digest[:12] if same else f"{digest[:12]}, not {files[name]['sha256'][:12]}")


def _file(folder: Path, artifact: dict[str, Any], manifest: dict[str, Any], golden: dict[str, Any]) -> Iterator[Check]:
    name, path = artifact["file"], folder / artifact["file"]
    names = _classes(manifest, name)
    try:
        labels, any_size, run = READERS[artifact["format"]](path)
    except Exception as error:  # noqa: BLE001 (runtimes raise of every kind)
        yield Check(name, "opens", False, f"{type(error).__name__}: {error}")
        return
    yield Check(name, "labels", labels == names, f"{len(labels)} as in the manifest" if labels == names else "others")
    images, expected = (golden[key] for key in (("images", "scores") if any_size else ("fitted", "fitted_scores")))
    columns = _columns(names, manifest["classes"])
    got = {batch: _in_batches(run, images, batch) for batch in artifact["batches"]}
    for batch, outputs in got.items():
        scores = outputs["scores"]
        if not columns:
            yield Check(name, f"replay, batch {batch}", True, "left out: no class of the golden scores is left")
            continue
        yield _replay(
            name, batch, scores[:, [mine for mine, _ in columns]], expected[:, [old for _, old in columns]], artifact
        )
    alone, together = (got[batch]["scores"] for batch in (min(got), max(got)))
    if len(got) > 1:
        spread = np.median(together.std(axis=1)) or 1.0
        gap = float(np.abs(alone - together).max() / spread)
        limit = artifact["replay_limit"] or 0.5
        yield Check(name, "a row alone is the row in its batch", gap <= limit, f"{gap:.1e} (limit {limit:.0e})")
    if names == manifest["classes"] and any_size:
        answers = [names[i] for i in alone.argmax(axis=1)]
        share = float(np.mean(np.array(answers) == golden["labels"]))
        yield Check(name, "names of the golden answers", share >= artifact["least_agreement"], f"{share:.0%}")


def _classes(manifest: dict[str, Any], file: str) -> list[str]:
    """Of the file as it was last edited."""
    edits = [step["classes"] for step in manifest["history"] if step["file"] == file]
    return edits[-1] if edits else manifest["classes"]


def _columns(names: list[str], golden: list[str]) -> list[tuple[int, int]]:
    """Where the golden classes stand in an edited table."""
    return [(names.index(name), old) for old, name in enumerate(golden) if name in names]


def _replay(name: str, batch: int, scores: np.ndarray, expected: np.ndarray, artifact: dict[str, Any]) -> Check:
    spread = np.median(expected.std(axis=1)) if expected.shape[1] > 1 else np.median(np.abs(expected))
    gap = float(np.abs(scores - expected).max() / spread)
    agreement = float((scores.argmax(axis=1) == expected.argmax(axis=1)).mean())
    if artifact["replay_limit"] is None:
        passed, limit = agreement >= artifact["least_agreement"], "judged by its top classes"
    else:
        passed, limit = gap <= artifact["replay_limit"], f"limit {artifact['replay_limit']:.0e}"
    return Check(name, f"replay, batch {batch}", passed, f"{gap:.1e} ({limit}), same top class {agreement:.0%}")


def _in_batches(run: Run, images: np.ndarray, batch: int) -> dict[str, np.ndarray]:
    padded = np.concatenate([images, np.repeat(images[-1:], -len(images) % batch, axis=0)])
    parts = [run(padded[i : i + batch]) for i in range(0, len(padded), batch)]
    return {name: np.concatenate([part[name] for part in parts])[: len(images)] for name in ("scores", "probabilities")}


def _onnx(path: Path) -> tuple[list[str], bool, Run]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["zsltf"])
    names = ["scores", "probabilities"]
    return card["names"], True, lambda images: dict(zip(names, session.run(names, {"images": images}), strict=True))


def _tflite(path: Path) -> tuple[list[str], bool, Run]:
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


def _saved_model(path: Path) -> tuple[list[str], bool, Run]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    labels = (path / "assets" / "labels.txt").read_text("utf-8").split("\n")
    table = [name.decode("utf-8") for name in loaded.signatures["table"]()["names"].numpy()]

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        outputs = loaded.signatures["serving_default"](images=tf.constant(images))
        return {name: outputs[name].numpy() for name in ("scores", "probabilities")}

    return labels if labels == table else [], True, run


READERS = {"Onnx": _onnx, "TFLite": _tflite, "SavedModel": _saved_model}

if __name__ == "__main__":
    sys.exit(main())
