"""The manifest beside exported files: what they are, and the hash of every one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zsltf.checks import fail
from zsltf.files import atomic_file, sha256

__all__ = ["MANIFEST", "check_hashes", "read_manifest", "record_change", "write_manifest"]

MANIFEST = "manifest.json"


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Write manifest.json with the hash and size of every other file in the folder.

    Args:
        folder: of an export.
        content: what else the manifest says; a `files` of it is replaced.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    files = {
        path.relative_to(folder).as_posix(): {"sha256": sha256(path), "bytes": path.stat().st_size} for path in paths
    }
    with atomic_file(folder / MANIFEST) as staging:
        staging.write_text(json.dumps({**content, "files": files}, indent=1), "utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an export.

    Raises:
        ValueError: if there is none, or a damaged one.
    """
    path = folder / MANIFEST
    if not path.is_file():
        fail(str(folder), f"an export with {MANIFEST}", "none", "Give the folder that zsltf export wrote.")
    try:
        content = json.loads(path.read_text("utf-8"))
        files = {str(name): str(entry["sha256"]) for name, entry in content["files"].items()}
        inside = all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fail(str(path), "a manifest as zsltf export wrote it", f"a damaged one ({error})", "Export the run again.")
    if not inside:
        fail(str(path), "files inside its folder", "some outside", "Export the run again.")
    return content


def check_hashes(folder: Path, names: tuple[str, ...] | None = None) -> None:
    """Refuse files that are not what the manifest says.

    Args:
        folder: of an export.
        names: files, or folders with all that is in them; by default everything.

    Raises:
        ValueError: if one is missing, changed or added.
    """
    listed = read_manifest(folder)["files"]
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST}
    for name in sorted(there | set(listed)):
        if names is not None and not any(name == wanted or name.startswith(f"{wanted}/") for wanted in names):
            continue
        received = _deviation(folder / name, listed.get(name))
        if received:
            fix = "Export the run again, or take the file from where it was published."
            fail(str(folder / name), "the file that the manifest lists", received, fix)


def _deviation(path: Path, entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return "one that it doesn't"
    if not path.is_file():
        return "none"
    digest = sha256(path)
    return "" if digest == entry["sha256"] else f"one with another hash ({digest[:12]}, not {entry['sha256'][:12]})"


def record_change(folder: Path, name: str, change: str, classes: Sequence[str]) -> None:
    """Bring the manifest up to a file's edit: its hash before and after is kept in `history`.

    Args:
        folder: of an export.
        name: of the file or folder that was edited.
        change: what was done, in a sentence.
        classes: the file's new ones.
    """
    before = read_manifest(folder)
    old = {key: entry["sha256"] for key, entry in before["files"].items() if _belongs(key, name)}
    write_manifest(folder, before)
    after = read_manifest(folder)["files"]
    new = {key: entry["sha256"] for key, entry in after.items() if _belongs(key, name)}
    step = {"file": name, "change": change, "classes": list(classes), "before": old, "after": new}
    write_manifest(folder, {**before, "history": [*before["history"], step]})


def _belongs(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}/")
