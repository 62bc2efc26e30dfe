"""history.csv: a row an epoch, a column a figure."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zsltf.checks import fail
from zsltf.files import atomic_file

__all__ = ["read_history", "write_history"]


def write_history(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write every row anew, so that a reader sees whole rows only; what a row lacks stays empty.

    Args:
        path: the CSV file.
        rows: figure -> value; the columns are all figures in order of appearance.
    """
    columns = dict.fromkeys(column for row in rows for column in row)
    with atomic_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def read_history(path: Path) -> list[dict[str, Any]]:
    """The rows as they were written, numbers to the last bit.

    Raises:
        ValueError: if the file isn't there, or a cell that should be a number isn't.
    """
    if not path.is_file():
        fail(str(path), "a history.csv", "no file", "Give the folder of a training run.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return [
            {column: _value(path, reader.line_num, column, cell) for column, cell in row.items() if cell}
            for row in reader
        ]


def _value(path: Path, line: int, column: str, cell: str) -> str | int | float:
    if column == "phase":
        return cell
    try:
        return int(cell) if cell.lstrip("-").isdecimal() else float(cell)
    except (ValueError, TypeError):
        fail(f"{path}, line {line}, {column}", "a number", f"{cell!r}", "Restore the file as training wrote it.")
