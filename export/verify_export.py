"""Verify an export as verify_artifact.py does; beside its run, also find the layer where a file begins to differ.

zsltf verify runs/mine/export        (or one file in it; status 1 if anything fails)
"""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from zsltf.artifacts.manifest import read_manifest
from zsltf.discovery import names, plugin_type


@dataclass(frozen=True, kw_only=True)
class Config:
    """Hashes, labels, replay of the golden photos, and that no row depends on its batch."""

    artifact: tyro.conf.Positional[Path]
    """The folder of an export, or a file or SavedModel in it."""


def main(config: Config) -> int:
    """Print the checks, and for a file whose scores differ the layer where they begin to."""
    folder = config.artifact if (config.artifact / "manifest.json").is_file() else config.artifact.parent
    manifest = read_manifest(folder)
    script = _standalone()
    checks = script.shown(script.verify(config.artifact))
    failed = {check.file for check in checks if not check.passed and check.what.startswith(("replay", "a row alone"))}
    for entry in manifest["artifacts"]:
        if entry["file"] in failed and (folder.parent / "model.keras").is_file():
            print(f"{entry['file']}: {_where(folder.parent, entry)}")
    for entry in manifest["artifacts"]:
        if entry["precision"] in ("int8", "int16x8") and entry["options"].get("built_in_only") is False:
            print(f"{entry['file']}: its network is of integers; class vectors, bias and scores are float32")
    return int(not all(check.passed for check in checks))


def _where(run: Path, entry: dict[str, Any]) -> str:
    """By bisection over the layers of the run's model, converted anew."""
    from zsltf.artifacts.bisection import first_difference
    from zsltf.runs import Run

    if entry["tolerance"] is None:
        return "its integers can't be compared layer by layer"
    kinds = {plugin_type("exporters", name).__name__: plugin_type("exporters", name) for name in names("exporters")}
    exporter = kinds[entry["format"]](**entry["options"])
    images = Run(run).golden().images
    layer = first_difference(Run(run).classifier(), images, exporter.replay, entry["tolerance"])
    if layer is None:
        return "every layer converts well: this is not the file that the run exports"
    return f"the first layer that differs is {layer!r}"


def _standalone() -> Any:
    """The script that needs no zsltf, from beside this one."""
    spec = importlib.util.spec_from_file_location("verify_artifact", Path(__file__).with_name("verify_artifact.py"))
    if spec is None or spec.loader is None:
        raise ImportError("verify_artifact.py: expected beside this script, received none. Reinstall zsltf.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Config)))
