"""A run folder: everything that a training run leaves behind."""

import json
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from zsltf.checks import fail
from zsltf.classifier import Classifier

__all__ = ["Golden", "Run"]


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
            ValueError: if the folder has none.
        """
        if not (self.path / name).is_file():
            fail(str(self.path), f"a run folder with {name}", "none", "Give the folder that zsltf run wrote.")
        return json.loads((self.path / name).read_text("utf-8"))

    def classifier(self) -> Classifier:
        """The Classifier, from images."""
        if not (self.path / "model.keras").is_file():
            fail(str(self.path), "a run folder with model.keras", "none", "Give the folder that zsltf run wrote.")
        return Classifier.load(self.path / "model.keras")

    def golden(self) -> Golden:
        """The golden batch."""
        if not (self.path / "golden.npz").is_file():
            fail(str(self.path), "a run folder with golden.npz", "none", "Run the recipe again.")
        with np.load(self.path / "golden.npz", allow_pickle=False) as file:
            return Golden(images=file["images"], scores=file["scores"])


def versions() -> dict[str, str]:
    """Of Python and of the packages that a result depends on."""
    packages = ("zsltf", "tensorflow", "keras", "numpy", "scipy", "scikit-learn", "pillow")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
