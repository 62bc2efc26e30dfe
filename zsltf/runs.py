"""A run folder: everything that a training run leaves behind."""

import json
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.files import sha256

__all__ = ["RUN_FILES", "Golden", "Run", "opened", "settings"]

RUN_FILES = (
    "report.json",
    "model.keras",
    "encoder.keras",
    "classes.json",
    "config.json",
    "golden.npz",
    "history.csv",
    "cross_validation.csv",
    "report.html",
    "samples",
    "export",
    "export.json",
    "web",
    "mobile",
    "benchmark.json",
)
"""All that zsltf puts into a run folder."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Golden:
    """A batch of images and what the Classifier said of them when it was saved: every export is held against it."""

    images: UInt8[np.ndarray, "N H W 3"]
    scores: Float[np.ndarray, "N C"]


@dataclass(frozen=True)
class Run:
    """model.keras, classes.json, config.json (settings and versions), report.json, golden.npz, report.html.

    Args:
        path: the folder.
    """

    path: Path

    def write(
        self, classifier: Classifier, *, config: dict[str, Any], report: dict[str, Any], golden: np.ndarray
    ) -> None:
        """Fill a new folder; whoever calls makes it appear at once (`files.atomic_directory`)."""
        classifier.save(self.path / "model.keras")
        table = classifier.classes
        rows = {"names": table.names, "seen": table.seen.tolist(), "columns": table.columns}
        self.write_json("classes.json", {**rows, "semantics": table.semantics.tolist()})
        self.write_json("config.json", {"settings": config, "versions": versions()})
        self.write_json("report.json", report)
        np.savez(self.path / "golden.npz", images=golden, scores=classifier.score(golden))

    def write_json(self, name: str, content: Any) -> None:
        """Write a JSON file; paths become strings."""
        (self.path / name).write_text(json.dumps(content, indent=1, default=str), "utf-8")

    def read_json(self, name: str) -> Any:
        """Read a JSON file of the run.

        Raises:
            ValueError: if the folder has none, or a damaged one; so do `classifier` and `golden`.
        """
        with self._reading(name) as path:
            return json.loads(path.read_text("utf-8"))

    def classifier(self) -> Classifier:
        """The Classifier, from images."""
        with self._reading("model.keras") as path:
            return Classifier.load(path)

    def digest(self) -> str:
        """The SHA-256 of model.keras."""
        with self._reading("model.keras") as path:
            return sha256(path)

    def golden(self) -> Golden:
        """The golden batch."""
        with (
            self._reading("golden.npz") as path,
            path.open("rb") as file,  # NumPy leaves a broken one open
            np.load(file, allow_pickle=False) as arrays,
        ):
            return Golden(images=arrays["images"], scores=arrays["scores"])

    @contextmanager
    def _reading(self, name: str) -> Iterator[Path]:
        path = self.path / name
        if not path.is_file():
            fail(str(self.path), f"a run folder with {name}", "none", "Give the folder that zsltf run wrote.")
        try:
            yield path
        except (ValueError, OSError, KeyError, TypeError, BadZipFile) as error:
            reason = str(error).partition("\n")[0].partition(". ")[0]
            fail(str(path), "a file as zsltf run wrote it", f"a damaged one ({reason})", "Run the recipe again.")


@contextmanager
def opened(path: Path) -> Iterator[Run]:
    """A run folder, or for a saved Classifier by itself one that is gone afterwards, whose golden batch is random.

    Raises:
        ValueError: if there is no such .keras file, it is damaged, or it classifies features.
    """
    if path.suffix != ".keras" or path.is_dir():
        yield Run(path)
        return
    if not path.is_file():
        fail(str(path), "a run folder or a saved Classifier", "none", "Check the path.")
    with Run(path.parent)._reading(path.name):
        classifier = Classifier.load(path)
    if classifier.preprocess is None:
        fail(str(path), "a Classifier from images", "one from features", "Put it on its backbone: Classifier.after.")
    with TemporaryDirectory() as scratch:
        run = Run(Path(scratch) / path.stem)
        run.path.mkdir()
        report = {"title": f"Classifier {path.name}"}
        run.write(classifier, config={}, report=report, golden=_coloured_noise(classifier.preprocess.size))
        shutil.copyfile(path, run.path / "model.keras")  # whose hash the export names
        yield run


def _coloured_noise(size: int, count: int = 7) -> UInt8[np.ndarray, "N H W 3"]:
    """Blurred noise, neither square nor of the network's size."""
    blocks = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    shape = (size * 9 // 8, size * 17 // 16)
    return np.stack([np.asarray(Image.fromarray(block).resize(shape, Image.Resampling.BILINEAR)) for block in blocks])


def settings(config: Any) -> dict[str, Any]:
    """A dataclass as a plain dict in which nested ones keep their type's name: which method it was, for one."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {
        name: {"type": type(value).__name__, **settings(value)} if is_dataclass(value) else value
        for name, value in values.items()
    }


def versions() -> dict[str, str]:
    """Of Python and of the packages that a result depends on."""
    packages = ("zsltf", "tensorflow", "keras", "numpy", "scipy", "scikit-learn", "pillow")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
