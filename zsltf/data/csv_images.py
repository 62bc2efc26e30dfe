"""A CSV file of image paths and labels."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.checks import check_choice, fail
from zsltf.data.classes import ClassTable
from zsltf.data.collection import Collection, named_classes
from zsltf.data.csv_lines import read_lines
from zsltf.data.images import ImageFolder, Labels
from zsltf.data.splits import PART_NAMES

__all__ = ["read_csv"]

_Line = tuple[int, dict[str, str]]


def read_csv(path: Path, classes: ClassTable | None = None, *, group_column: str | None = None) -> Collection:
    """Read columns path and label, and split (train, validation or test), group and weight where they are there.

    Several labels of an image stand in one cell, separated by semicolons; then the labels are multi-hot, and an empty
    cell means none. A relative path starts at the CSV's folder.

    Args:
        path: the CSV file.
        classes: the classes to read; by default the labels in alphabetical order.
        group_column: names the patient, machine or site; by default `group`, if there is one.

    Raises:
        ValueError: naming the line of a missing file, an unknown label, a path with two meanings or a bad cell.
    """
    required = ["path", "label"] + ([group_column] if group_column else [])
    lines = _without_repetitions(path, read_lines(path, required))
    _check_files(path, lines)
    several = any(";" in row["label"] for _, row in lines)
    labels = [_labels(path, line, several) for line in lines]
    table = classes or named_classes(sorted({label for given in labels for label in given}))
    images = ImageFolder(
        root=path.parent,
        paths=tuple(row["path"] for _, row in lines),
        y=_encode(path, lines, labels, table.names, several),
    )
    parts = _column(path, lines, "split", _part)
    group = _column(path, lines, group_column or "group", _text)
    weight = _column(path, lines, "weight", _weight)
    return Collection(
        images=images,
        classes=table,
        parts=None if parts is None else tuple(parts),
        group=None if group is None else np.array(group),
        sample_weight=None if weight is None else np.array(weight, np.float32),
    )


def _without_repetitions(path: Path, lines: Sequence[_Line]) -> list[_Line]:
    """The lines without those that say the same again; the same image with another meaning is an error."""
    first: dict[str, _Line] = {}
    for line, row in lines:
        before, known = first.setdefault(os.path.normpath(path.parent / row["path"]), (line, row))
        differing = [column for column, cell in row.items() if cell != known[column] and column != "path"]
        if differing:
            column = differing[0]
            received = f"{row['path']} with {column} '{known[column]}' in line {before} and '{row[column]}'"
            fix = "Remove one; several labels stand in one cell as a;b."
            fail(f"{path}, line {line}", "an image in one line", received, fix)
    return list(first.values())


def _check_files(path: Path, lines: Sequence[_Line]) -> None:
    missing = [(line, row["path"]) for line, row in lines if not _is_file(path.parent / row["path"])]
    if missing:
        first = ", ".join(f"'{name}' in line {line}" for line, name in missing[:3])
        fix = f"Relative paths start at {path.parent.resolve()}."
        fail(str(path), "paths of files", f"{len(missing)} of none: {first}", fix)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the disk
        return False


def _labels(path: Path, line: _Line, several: bool) -> list[str]:
    number, row = line
    labels = [label.strip() for label in row["label"].split(";")] if row["label"] else []
    if not all(labels) or not (labels or several):
        fail(f"{path}, line {number}, column label", "a class", repr(row["label"]), "Fill in the cell.")
    return labels


def _encode(
    path: Path, lines: Sequence[_Line], labels: Sequence[Sequence[str]], names: Sequence[str], several: bool
) -> Labels:
    index = {name: row for row, name in enumerate(names)}
    for (line, _), given in zip(lines, labels, strict=True):
        for label in given:
            if label not in index:
                check_choice(f"{path}, line {line}, column label", label, names)
    if not several:
        return np.array([index[label] for (label,) in labels], np.int64)
    y = np.zeros((len(lines), len(names)), np.float32)
    for row, given in enumerate(labels):
        y[row, [index[label] for label in given]] = 1
    return y


def _column(path: Path, lines: Sequence[_Line], name: str, parse: Callable[[str, str], Any]) -> list[Any] | None:
    if name not in lines[0][1]:
        return None
    return [parse(row[name], f"{path}, line {line}, column {name}") for line, row in lines]


def _part(cell: str, where: str) -> str:
    check_choice(where, cell.lower(), PART_NAMES)
    return PART_NAMES[cell.lower()]


def _text(cell: str, where: str) -> str:
    if not cell:
        fail(where, "a name", "an empty cell", "Fill in the cell.")
    return cell


def _weight(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        fail(where, "a number >= 0", repr(cell), "Fill in the cell.")
    return value
