"""The manifest beside exported files: what they are, and the hash of every one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zsltf.checks import fail
from zsltf.files import atomic_file, is_leftover, sha256

__all__ = [
    "GOLDEN",
    "MANIFEST",
    "check_hashes",
    "history_of",
    "read_manifest",
    "record_change",
    "take_back",
    "write_manifest",
]

MANIFEST = "manifest.json"
GOLDEN = "golden.npz"
"""Photos and what Keras says of them."""


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Write manifest.json with the hash and size of every other file in the folder.

    Args:
        folder: of an export.
        content: what else the manifest says; a `files` of it is replaced.
    """
    _write(folder, {**content, "files": {name: _entry(path) for name, path in _files(folder).items()}})


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an export.

    Raises:
        ValueError: if there is none, or a damaged one.
    """
    path = folder / MANIFEST
    if not path.is_file():
        fail(str(folder), f"an export with {MANIFEST}", "none", "Give the folder that zsltf export wrote.")
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        _check_form(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        fail(str(path), "a manifest as zsltf export wrote it", f"a damaged one ({error})", "Export the run again.")
    if not all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in content["files"]):
        fail(str(path), "files inside its folder", "some outside", "Export the run again.")
    return content


def _check_form(content: Any) -> None:
    """Raise what reading raises where a part is missing or of another kind."""
    if not all(isinstance(entry["sha256"], str) for entry in content["files"].values()):
        raise TypeError("a hash that is no text")
    counts = dict.fromkeys((step["file"] for step in content["history"]), len(content["classes"]))
    for step in content["history"]:
        rows, before = step["rows"], counts[step["file"]]
        if len(rows) != len(step["classes"]) or not all(-1 <= row < before for row in rows) or step["before"] is None:
            raise ValueError("a history of other classes")
        counts[step["file"]] = len(rows)
    for artifact in content.get("artifacts", ()):
        if not any(_belongs(name, artifact["file"]) for name in content["files"]):
            raise ValueError(f"no hash of the artifact {artifact['file']!r:.60}")


def check_hashes(folder: Path, names: Sequence[str] | None = None) -> None:
    """Refuse files that are not what the manifest says.

    Args:
        folder: of an export.
        names: files, or folders with all that is in them; by default everything.

    Raises:
        ValueError: if one is missing, changed or added.
    """
    listed = read_manifest(folder)["files"]
    for name in sorted({*_files(folder), *listed}):
        if names is not None and not any(_belongs(name, wanted) for wanted in names):
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


def record_change(folder: Path, name: str, staged: Path, change: Mapping[str, Any]) -> None:
    """List what is about to replace a file; the hashes before and after it are kept in `history`.

    To be called before the replacement: if that is cut off, `take_back` finds the file as it was before.

    Args:
        folder: of an export.
        name: of the file or folder that is edited.
        staged: what it is going to be.
        change: what else the history says of this step.
    """
    manifest = read_manifest(folder)
    old = {key: entry for key, entry in manifest["files"].items() if _belongs(key, name)}
    parts = _files(staged) if staged.is_dir() else {"": staged}
    new = {f"{name}/{key}".rstrip("/"): _entry(path) for key, path in parts.items()}
    others = {key: entry for key, entry in manifest["files"].items() if key not in old}
    hashes = {
        when: {key: entry["sha256"] for key, entry in its.items()} for when, its in (("before", old), ("after", new))
    }
    step = {"file": name, **change, **hashes}
    files = dict(sorted({**others, **new}.items()))
    _write(folder, {**manifest, "files": files, "history": [*manifest["history"], step]})


def take_back(folder: Path, name: str) -> None:
    """Undo the record of a file's last edit if the file is still as before it: somebody stopped the edit midway."""
    manifest = read_manifest(folder)
    steps = [step for step in manifest["history"] if step["file"] == name]
    there = {key: path for key, path in _files(folder).items() if _belongs(key, name)}
    if not steps or steps[-1]["before"] != {key: sha256(path) for key, path in there.items()}:
        return
    others = {key: entry for key, entry in manifest["files"].items() if not _belongs(key, name)}
    files = dict(sorted({**others, **{key: _entry(path) for key, path in there.items()}}.items()))
    kept = [step for step in manifest["history"] if step is not steps[-1]]
    _write(folder, {**manifest, "files": files, "history": kept})


def history_of(manifest: Mapping[str, Any], name: str) -> tuple[list[str], list[int]]:
    """A file's classes after its edits, and the row of the export's table that each of them is, -1 if it is none."""
    classes = list(manifest["classes"])
    rows = list(range(len(classes)))
    for step in manifest["history"]:
        if step["file"] == name:
            classes, rows = step["classes"], [rows[i] if i >= 0 else -1 for i in step["rows"]]
    return classes, rows


def _files(folder: Path) -> dict[str, Path]:
    """Every file by its name in the folder, but the manifest and what a write that was killed has left."""
    paths = ((path.relative_to(folder), path) for path in sorted(folder.rglob("*")) if path.is_file())
    return {name.as_posix(): path for name, path in paths if name.name != MANIFEST and not is_leftover(name.parts[0])}


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": sha256(path), "bytes": path.stat().st_size}


def _write(folder: Path, content: Mapping[str, Any]) -> None:
    with atomic_file(folder / MANIFEST) as staging:
        staging.write_text(json.dumps(content, indent=1), "utf-8")


def _belongs(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}/")
