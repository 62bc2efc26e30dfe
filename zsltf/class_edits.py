"""Edits of the class table of an exported file: the file, its manifest and its history change together."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.manifest import MANIFEST, check_hashes, record_change
from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.decode import decode
from zsltf.files import atomic_directory, atomic_file
from zsltf.prediction import exporter_of, open_artifact, photo_paths

__all__ = ["add_photos", "apply_table", "edit"]


def edit(path: Path, change: Callable[[Artifact], Artifact]) -> str:
    """Change the table of the file at `path`, and say what changed; without TensorFlow unless it is a SavedModel.

    Args:
        path: a .onnx, a .tflite or a SavedModel folder, in the folder of an export or by itself.
        change: from the file as it is to the file as it shall be.

    Raises:
        ValueError: if the file is not what the manifest lists, or can't be changed so.
    """
    listed = (path.parent / MANIFEST).is_file()
    if listed:
        check_hashes(path.parent, (path.name,))
    before = open_artifact(path)
    after = change(before)
    staged: AbstractContextManager[Path] = (
        atomic_directory(path, overwrite=True) if path.is_dir() else atomic_file(path)
    )
    with staged as staging:
        exporter_of(path).edit(path, staging, after)
    what = _difference(before.card.names, after.card.names)
    if listed:
        record_change(path.parent, path.name, what, after.card.names)
    return what


def add_photos(artifact: Artifact, name: str, photos: Sequence[Path]) -> Artifact:
    """The table and a class of which these are photos, or folders of photos.

    Raises:
        ValueError: if one can't be decoded, or the file doesn't open by photos.
    """
    card = artifact.card
    images = [decode(path, card.size, card.resize)[None] for path in photo_paths(photos)]
    return artifact.with_photos(name, images)


def apply_table(artifact: Artifact, path: Path) -> Artifact:
    """What a JSON file says: {"remove": [name], "rename": {old: new}, "add": [{"name", "semantics" or "photos"}]}.

    Removals come first, then new names, then new classes; `semantics` is {column: number}, `photos` a list of paths
    beside the JSON file.

    Raises:
        ValueError: if it says something else; nothing is changed then.
    """
    table = _read(path)
    if table.get("remove"):
        artifact = artifact.without(table["remove"])
    if table.get("rename"):
        artifact = artifact.renamed(table["rename"])
    for entry in table.get("add", ()):
        if "photos" in entry:
            artifact = add_photos(artifact, entry["name"], [path.parent / photo for photo in entry["photos"]])
            continue
        missing = set(artifact.card.columns) ^ set(entry["semantics"])
        if missing:
            received = f"missing or unknown: {', '.join(sorted(missing)[:5])}"
            fail(f"{path}, {entry['name']}", "a number for every column of semantics", received, "Mend the table.")
        row = np.array([[entry["semantics"][column] for column in artifact.card.columns]], np.float32)
        new = ClassTable(names=(entry["name"],), semantics=row, seen=np.zeros(1, bool), columns=artifact.card.columns)
        artifact = artifact.with_classes(new)
    return artifact


def _difference(before: Sequence[str], after: Sequence[str]) -> str:
    if len(before) == len(after):
        renamed = [f"{old} to {new}" for old, new in zip(before, after, strict=True) if old != new]
        if len(renamed) < len(before):
            return f"renamed {', '.join(renamed)}"
    added, removed = ([name for name in one if name not in other] for one, other in ((after, before), (before, after)))
    parts = ((verb, names) for verb, names in (("added", added), ("removed", removed)) if names)
    return "; ".join(f"{verb} {', '.join(names)}" for verb, names in parts)


def _read(path: Path) -> dict[str, Any]:
    form = '{"remove": [name], "rename": {old: new}, "add": [{"name": ..., "semantics" or "photos": ...}]}'
    try:
        table = json.loads(path.read_text("utf-8"))
        odd = set(table) - {"remove", "rename", "add"}
        entries = [set(entry) for entry in table.get("add", ())]
    except (ValueError, TypeError, AttributeError) as error:
        fail(str(path), form, f"something else ({error})", "Mend the table.")
    if odd or any(keys not in ({"name", "semantics"}, {"name", "photos"}) for keys in entries):
        fail(str(path), form, "other keys", "Mend the table.")
    return table
