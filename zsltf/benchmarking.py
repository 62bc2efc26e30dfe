"""Measure exported files as they run on this machine: each in a process of its own, so that its memory shows."""

import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.manifest import GOLDEN, check_hashes, history_of, read_manifest
from zsltf.artifacts.parity import compare
from zsltf.data.fitted_photos import FittedPhotos
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.prediction import exporter_of, open_artifact

__all__ = ["Measured", "benchmark", "common_classes", "litert_milliseconds", "measure"]

Status = Literal["passed", "exported but fails validation", "failed"]
_SINGLE, _BATCH = 40, 32  # calls with one photo; photos of a batch
_LITERT_BENCHMARK = "ai_edge_litert.tools.benchmark_litert_model"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One file."""

    file: str
    status: Status
    reason: str = ""
    """Why it did not pass."""
    megabytes: float | None = None
    accuracy: float | None = None
    """Mean over classes, on the photos."""
    difference: float | None = None
    """Largest difference of golden scores to Keras, relative to their spread over classes."""
    p50: float | None = None
    """Milliseconds of a call with one photo; half of the calls are faster."""
    p95: float | None = None
    images_per_second: float | None = None
    """In batches of 32, or image after image where the file's batch is 1."""
    peak_megabytes: float | None = None
    """Of the process with its runtime, photos not counted; None where the system is not Linux."""
    litert_milliseconds: float | None = None
    """By LiteRT's own tool; see `litert_milliseconds`."""


def common_classes(manifest: Mapping[str, Any]) -> list[str]:
    """Those that every file of an export has after its edits."""
    first, *others = (history_of(manifest, entry["file"])[0] for entry in manifest["artifacts"])
    return [name for name in first if all(name in names for names in others)]


def benchmark(folder: Path, photos: FittedPhotos, names: Sequence[str]) -> Iterator[Measured]:
    """Every file of an export.

    Args:
        folder: with manifest.json.
        photos: labelled, that the run did not train on.
        names: of their labels; each file has them all.
    """
    manifest = read_manifest(folder)
    with tempfile.TemporaryDirectory() as place:
        np.savez(Path(place, "photos.npz"), images=photos.images, labels=np.array(names)[photos.y])
        for entry in manifest["artifacts"]:
            measured = _in_own_process(folder, entry, Path(place, "photos.npz"))
            yield replace(measured, litert_milliseconds=litert_milliseconds(folder / entry["file"]))


def litert_milliseconds(path: Path) -> float | None:
    """Median call of the built-in entry by `litert-benchmark`: random input, CPU, one thread.

    None for other formats, where LiteRT doesn't bring the tool, and where it fails.
    """
    if path.suffix != ".tflite" or not importlib.util.find_spec("ai_edge_litert.tools"):
        return None
    with tempfile.TemporaryDirectory() as place:
        result = Path(place, "result.json")
        options = ("--model", path, "--signature", "serving_default", "--num_runs", _SINGLE, "--result_json", result)
        command = [sys.executable, "-m", _LITERT_BENCHMARK, *map(str, options)]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 (this Python)
        if done.returncode:
            return None
        return float(json.loads(result.read_text("utf-8"))["latency"]["median_ms"])


def _in_own_process(folder: Path, entry: dict[str, Any], photos: Path) -> Measured:
    command = [sys.executable, "-m", "zsltf.benchmarking", str(folder), json.dumps(entry), str(photos)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (this Python)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["stopped without a word"])[-1]
        return Measured(file=entry["file"], status="failed", reason=reason[:200])
    return Measured(**json.loads(done.stdout.strip().splitlines()[-1]))


def measure(folder: Path, entry: dict[str, Any], images: np.ndarray, labels: np.ndarray) -> Measured:
    """One file, in this process, on images of the network's size and the names of what they show."""
    path = folder / entry["file"]
    check_hashes(folder, [*(part.name for part in exporter_of(path).files(path)), GOLDEN])
    artifact = open_artifact(path)
    difference, reason = _against_golden(artifact, folder, entry)
    start = time.perf_counter()
    step = 1 if entry["batches"] == [1] else _BATCH
    scores = np.concatenate([artifact(images[i : i + step])["scores"] for i in range(0, len(images), step)])
    seconds = time.perf_counter() - start
    single = [_milliseconds(artifact, images[i % len(images)][None]) for i in range(_SINGLE + 3)][3:]
    peak = _peak()
    y = np.array([artifact.card.names.index(label) for label in labels])
    paths = [part for part in path.rglob("*") if part.is_file()] or [path]
    return Measured(
        file=entry["file"],
        status="exported but fails validation" if reason else "passed",
        reason=reason,
        megabytes=sum(path.stat().st_size for path in paths) / 1e6,
        accuracy=mean_class_accuracy(y, scores.argmax(axis=1)),
        difference=difference,
        p50=float(np.percentile(single, 50)),
        p95=float(np.percentile(single, 95)),
        images_per_second=len(images) / seconds,
        peak_megabytes=None if peak is None else (peak - images.nbytes) / 1e6,
    )


def _against_golden(artifact: Artifact, folder: Path, entry: dict[str, Any]) -> tuple[float | None, str]:
    """On the classes that it still has of those that were exported."""
    with np.load(folder / GOLDEN, allow_pickle=False) as arrays:
        names = ("images", "scores") if artifact.card.any_size else ("fitted", "fitted_scores")
        images, expected = (arrays[name] for name in names)
    rows = np.array(history_of(read_manifest(folder), entry["file"])[1])
    if (rows < 0).all():
        return None, ""
    scores = np.concatenate([artifact(image[None])["scores"] for image in images])
    got, expected = scores[:, rows >= 0], expected[:, rows[rows >= 0]]
    limit = entry["replay_limit"]
    parity = compare(expected, got, max(limit or 0.0, entry["margin"]))
    if limit is not None and not parity.difference <= limit:
        return parity.difference, f"golden scores differ by {parity.difference:.1e}, not {limit:.0e}"
    if parity.agreement < entry["least_agreement"]:
        return parity.difference, f"the top class is that of Keras on {parity.agreement:.0%} of the golden photos"
    return parity.difference, ""


def _peak() -> int | None:
    """Bytes that this process held at most; what getrusage says begins with those of the process that started it."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    (line,) = (line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])


def _milliseconds(artifact: Artifact, image: np.ndarray) -> float:
    start = time.perf_counter()
    artifact(image)
    return 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    with np.load(sys.argv[3], allow_pickle=False) as photos:
        found = measure(Path(sys.argv[1]), json.loads(sys.argv[2]), photos["images"], photos["labels"])
    print(json.dumps(asdict(found)))  # noqa: T201 (to the parent)
