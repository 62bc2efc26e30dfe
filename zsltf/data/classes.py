"""The class table: names, one row of semantics a class, and which classes training may see."""

import csv
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from zsltf.checks import check_finite, check_shape, fail
from zsltf.data.csv_lines import read_cells

__all__ = ["ClassTable", "read_partitions"]

_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories: control characters, lone surrogates, separators of lines and of paragraphs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassTable:
    """C classes; label i everywhere is row i here.

    Args:
        names: C different names.
        semantics: one row a class: attributes or a text vector, float32.
        seen: True where training may use the class's images.
        columns: names of the A columns of semantics.
        blocks: widths of the tables that the columns come from, each with its own units; by default one.

    Raises:
        ValueError: for duplicate names, NaN, or lengths that differ.
    """

    names: tuple[str, ...]
    semantics: Float[np.ndarray, "C A"]
    seen: Bool[np.ndarray, " C"]
    columns: tuple[str, ...] = ()
    blocks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.names)
        _check_names("ClassTable.names", self.names, "rows")
        semantics = np.array(self.semantics, np.float32)
        columns = self.columns or tuple(f"s{i}" for i in range(semantics.shape[-1]))
        if columns:
            _check_names("ClassTable.columns", columns, "columns")
        check_shape(
            "ClassTable.semantics", semantics, (count, len(columns)), "Give one row a class, one column a name."
        )
        check_finite("ClassTable.semantics", semantics, "Fill in or remove the row.")
        seen = np.array(self.seen, bool)
        check_shape("ClassTable.seen", seen, (count,), "Give one value a class.")
        semantics.flags.writeable = seen.flags.writeable = False
        object.__setattr__(self, "semantics", semantics)
        object.__setattr__(self, "seen", seen)
        object.__setattr__(self, "columns", columns)
        blocks = self.blocks or (len(columns),)
        if sum(blocks) != len(columns):
            fail("ClassTable.blocks", f"{len(columns)} columns in all", str(blocks), "Give each table's width.")
        object.__setattr__(self, "blocks", blocks)

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def from_csv(cls, path: Path) -> "ClassTable":
        """Read `class[,split],column...`; `split` says seen or unseen, and without it every class is seen."""
        header, rows = _read(path)
        _check_upright(path, rows)
        first = 2 if header[1:2] == ["split"] else 1
        splits = [row[1] if first == 2 else "seen" for _, row in rows]
        for (line, _), split in zip(rows, splits, strict=True):
            if split not in ("seen", "unseen"):
                fail(f"{path}, line {line}, column split", "seen or unseen", repr(split), "Mend the table.")
        semantics = [
            [_number(path, line, column, cell) for column, cell in zip(header[first:], row[first:], strict=True)]
            for line, row in rows
        ]
        return cls(
            names=tuple(row[0] for _, row in rows),
            semantics=np.array(semantics, np.float32).reshape(len(rows), len(header) - first),
            seen=np.array([split == "seen" for split in splits]),
            columns=tuple(header[first:]),
        )

    def to_csv(self, path: Path) -> None:
        """Write what `from_csv` reads."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("class", "split", *self.columns))
            for name, seen, row in zip(self.names, self.seen, self.semantics, strict=True):
                writer.writerow((name, "seen" if seen else "unseen", *row))

    def with_seen(self, seen: Bool[np.ndarray, " C"]) -> "ClassTable":
        """The same classes under another partition."""
        return replace(self, seen=seen)

    def with_semantics(self, semantics: Float[np.ndarray, "C A"]) -> "ClassTable":
        """The same classes under other semantics of the same width."""
        return replace(self, semantics=semantics)

    def select(self, rows: Sequence[int] | np.ndarray) -> "ClassTable":
        """The classes of these rows, in this order."""
        index = np.asarray(rows, int)
        names = tuple(self.names[i] for i in index)
        return replace(self, names=names, semantics=self.semantics[index], seen=self.seen[index])

    def beside(self, other: "ClassTable") -> "ClassTable":
        """The same classes with the other table's columns as well, a block to themselves.

        Raises:
            ValueError: if the other lacks a class, or a column is in both.
        """
        missing = [name for name in self.names if name not in other.names]
        if missing:
            fail("class tables", "a row for every class in each", f"none for {', '.join(missing[:5])}", "Add the rows.")
        rows = [other.names.index(name) for name in self.names]
        return replace(
            self,
            semantics=np.concatenate([self.semantics, other.semantics[rows]], axis=1),
            columns=self.columns + other.columns,
            blocks=self.blocks + other.blocks,
        )

    def concatenate(self, other: "ClassTable") -> "ClassTable":
        """These classes, then the other's, which must have the same columns.

        Raises:
            ValueError: if the columns differ or a name is in both.
        """
        if other.columns != self.columns:
            _fail_columns(self.columns, other.columns)
        return replace(
            self,
            names=self.names + other.names,
            semantics=np.concatenate([self.semantics, other.semantics]),
            seen=np.concatenate([self.seen, other.seen]),
        )


def read_partitions(path: Path, names: Sequence[str]) -> dict[str, Bool[np.ndarray, " C"]]:
    """Read `class,partition...` with cells seen or unseen: partition name -> seen mask over `names`."""
    header, rows = _read(path)
    first_cells = [row[0] for _, row in rows]
    twice = [cell for cells in (header, first_cells) for cell, times in Counter(cells).items() if times > 1]
    if twice:
        fail(str(path), "each class and each partition once", f"{', '.join(twice)} more than once", "Mend the table.")
    cells = {row[0]: row[1:] for _, row in rows}
    missing = [name for name in names if name not in cells]
    if missing:
        fail(str(path), "a row for every class", f"none for {', '.join(missing)}", "Add the rows.")
    odd = sorted({cell for _, row in rows for cell in row[1:]} - {"seen", "unseen"})
    if odd:
        fail(str(path), "cells seen or unseen", repr(odd[0]), "Mend the table.")
    return {
        title: np.array([cells[name][column] == "seen" for name in names]) for column, title in enumerate(header[1:])
    }


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows, each row with its line number; blank lines are left out."""
    lines = read_cells(path)
    if len(lines) < 2:
        fail(str(path), "a header that starts with 'class' and a row a class", f"{len(lines)} lines", "Add rows.")
    (_, header), *rows = lines
    if header[0] != "class":
        fail(str(path), "a header that starts with 'class'", repr(header[0][:40]), "Name the first column class.")
    for line, row in rows:
        if len(row) != len(header):
            fail(f"{path}, line {line}", f"{len(header)} cells", f"{len(row)}", "Mend the row.")
    return header, rows


def _check_upright(path: Path, rows: Sequence[tuple[int, Sequence[str]]]) -> None:
    for line, (name, *cells) in rows:
        if name == "split" and cells and set(cells) <= {"seen", "unseen"}:
            fix = "The table looks transposed: write a row a class, a column an attribute."
            fail(f"{path}, line {line}", "a class and its attributes", "which classes are seen", fix)


def _check_names(what: str, names: Sequence[str], rows: str) -> None:
    wrong = [name for name, times in Counter(names).items() if times > 1 or not name.strip()]
    if wrong or not names:
        fail(what, "at least one name, each once", str(wrong or "none"), f"Rename or remove {rows}.")
    broken = [name for name in names if any(unicodedata.category(sign) in _NO_TEXT for sign in name)]
    if broken:  # a line of labels.txt is a class
        fail(what, "names without line breaks and control characters", str(broken[:5]), f"Rename {rows}.")


def _number(path: Path, line: int, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        fail(f"{path}, line {line}, column {column}", "a number", repr(cell), "Fill in the cell or remove the row.")
    return value


def _fail_columns(expected: Sequence[str], received: Sequence[str]) -> None:
    differing = sorted(set(expected) ^ set(received))[:5] or ["their order"]
    fail(
        "class rows",
        f"{len(expected)} semantic columns as in training",
        f"{len(received)} (differing: {', '.join(differing)})",
        "Use the training table's columns.",
    )
