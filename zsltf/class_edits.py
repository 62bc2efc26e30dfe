"""Edits of the class table of an exported file: the file, its manifest and its history change together."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import numpy as np
from jaxtyping import Float

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.card import Card
from zsltf.artifacts.manifest import MANIFEST, check_hashes, record_change, take_back
from zsltf.checks import check_choice, fail
from zsltf.data.attributes import check_given
from zsltf.data.classes import ClassTable
from zsltf.data.decode import decode
from zsltf.data.edit_table import read_edit_table
from zsltf.files import atomic_directory, atomic_file, locked, mend
from zsltf.prediction import exporter_of, open_artifact, own_path, photo_paths

__all__ = ["add_photos", "apply_table", "edit"]


def edit(path: Path, change: Callable[[Artifact], Artifact]) -> str:
    """Change the table of the file at `path`, and say what changed; without TensorFlow unless it is a SavedModel.

    Args:
        path: a .onnx, a .tflite or a SavedModel folder, in the folder of an export or by itself.
        change: from the file as it is to the file as it shall be.

    Raises:
        ValueError: if the file is not what the manifest lists, or can't be changed so.
    """
    path = own_path(path)
    with locked(path.parent):
        mend(path)
        return _edited(path, change)


def _edited(path: Path, change: Callable[[Artifact], Artifact]) -> str:
    exporter, folder = exporter_of(path), path.parent
    listed = (folder / MANIFEST).is_file()
    if listed:
        mend(folder / MANIFEST)
        take_back(folder, path.name)
        check_hashes(folder, [part.name for part in exporter.files(path)])
    before = open_artifact(path)
    after = change(before)
    rows = _rows(before, after)
    what = _difference(before.card, after.card, rows)
    staged: AbstractContextManager[Path] = (
        atomic_directory(path, overwrite=True) if path.is_dir() else atomic_file(path, follow=False)
    )
    with staged as staging:
        exporter.edit(path, staging, after)
        if listed:
            step = {"change": what, "classes": list(after.card.names), "rows": rows}
            record_change(folder, path.name, staging, step)
    return what


def add_photos(artifact: Artifact, name: str, photos: Sequence[Path], rows: ClassTable | None = None) -> Artifact:
    """The table and a class of which these are photos, or folders of photos.

    Args:
        artifact: an open file.
        name: of the class.
        photos: of it.
        rows: new classes by their semantics: this one's count as the file's `prior_photos` photos.

    Raises:
        ValueError: if one can't be decoded, the file doesn't open by photos, or by both where there are rows.
    """
    card = artifact.card
    semantics = None if rows is None else _row(card, name, rows)
    images = [decode(path, card.size, card.resize)[None] for path in photo_paths(photos)]
    return artifact.with_photos(name, images, semantics)


def apply_table(artifact: Artifact, path: Path) -> Artifact:
    """What a JSON file of `read_edit_table` says: its classes to remove may give their names to others, and leave last.

    So every class may leave where others come. Paths of photos are beside the file.

    Raises:
        ValueError: if it says something else; nothing is changed then.
    """
    table = read_edit_table(path)
    if table.of and tuple(table.of) != artifact.card.names:
        _fail_of(path, table.of, artifact.card.names)
    both = sorted(set(table.remove) & set(table.rename))
    if both:
        fail(str(path), "classes to remove or to rename", f"{', '.join(both)} in both", "Take them out of one.")
    leaving = {name: str(uuid4()) for name in table.remove}
    if leaving or table.rename:
        artifact = artifact.renamed({**table.rename, **leaving})
    for by_semantics, entries in itertools.groupby(table.add, key=lambda entry: {"name", "semantics"} == set(entry)):
        if by_semantics:
            artifact = artifact.with_classes(_rows_of(artifact, list(entries), path))
            continue
        for entry in entries:
            artifact = _with_class(artifact, entry, path)
    return artifact.without(tuple(leaving.values())) if leaving else artifact


def _with_class(artifact: Artifact, entry: Mapping[str, Any], path: Path) -> Artifact:
    """By its photos, or by what they came to elsewhere."""
    rows = _rows_of(artifact, [entry], path) if "semantics" in entry else None
    if "photos" in entry:
        return add_photos(artifact, entry["name"], [path.parent / photo for photo in entry["photos"]], rows)
    shape, given = artifact.class_vectors.shape[1:], np.array(entry["vector"], np.float32)
    if given.size != np.prod(shape):
        received = f"{given.size}"
        where = f"{path}, vector of {entry['name']}"
        fail(where, f"{np.prod(shape)} numbers", received, "Take the table from a page of the same export.")
    semantics = None if rows is None else rows.semantics[0]
    return artifact.with_vector(entry["name"], given.reshape(shape), entry["bias"], semantics)


def _fail_of(path: Path, made_for: Sequence[str], names: Sequence[str]) -> NoReturn:
    """Say by which class the table's file differs from this one."""
    pairs = enumerate(itertools.zip_longest(made_for, names), 1)
    number, (theirs, ours) = next((i, pair) for i, pair in pairs if pair[0] != pair[1])
    expected = f"a table of edits to this file's {len(names)} classes"
    received = f"one made for others (number {number} is {theirs or 'missing'} there and {ours or 'missing'} here)"
    fail(str(path), expected, received, "Apply it to a file whose classes are as they were in the page.")


def _row(card: Card, name: str, rows: ClassTable) -> Float[np.ndarray, " A"]:
    """The class's semantics, which the file weighs against its photos."""
    if not card.prior_photos:
        received = "one that takes either"
        fail("add", "a file that weighs attributes against photos, as any-shot's does", received, "Give one of them.")
    check_choice("rows, class", name, rows.names)
    return card.classes.concatenate(rows.select([rows.names.index(name)])).semantics[-1]


def _rows_of(artifact: Artifact, entries: Sequence[Mapping[str, Any]], path: Path) -> ClassTable:
    """New classes by their semantics."""
    columns = artifact.card.columns
    for entry in entries:
        wrong = sorted(set(columns) ^ set(entry["semantics"]))
        if wrong:
            received = f"missing or unknown: {', '.join(wrong[:5])}"
            where = f"{path}, {entry['name']}"
            fail(where, "a number for every column of semantics", received, "Mend the table.")
    rows = np.array([[entry["semantics"][column] for column in columns] for entry in entries], np.float32)
    names = tuple(entry["name"] for entry in entries)
    new = ClassTable(names=names, semantics=rows, seen=np.zeros(len(rows), bool), columns=columns)
    check_given(new, artifact.card.classes, str(path))
    return new


def _rows(before: Artifact, after: Artifact) -> list[int]:
    """The row of the table before that each row is, -1 for a new one: edits keep the order, and append."""
    rows, first = [], 0
    numbers = tuple(range(1, before.class_vectors.ndim))
    for name, vector, bias in zip(after.card.names, after.class_vectors, after.class_bias, strict=True):
        same = (before.class_vectors == vector).all(axis=numbers) & (before.class_bias == bias)
        found = [first + int(row) for row in np.flatnonzero(same[first:])]
        named = [row for row in found if before.card.names[row] == name]
        rows.append((named or found or [-1])[0])
        first = max(first, rows[-1] + 1)
    return rows


def _difference(before: Card, after: Card, rows: Sequence[int]) -> str:
    """What happened to the table, in words."""
    pairs = [(before.names[row], name) for row, name in zip(rows, after.names, strict=True) if row >= 0]
    told = {
        "added": [name for row, name in zip(rows, after.names, strict=True) if row < 0],
        "removed": [name for row, name in enumerate(before.names) if row not in rows],
        "renamed": [f"{old} to {new}" for old, new in pairs if old != new],
    }
    if not any(told.values()):
        fail("the edit", "a change of the class table", "none", "Name what shall be different.")
    return "; ".join(f"{verb} {', '.join(names)}" for verb, names in told.items() if names)
