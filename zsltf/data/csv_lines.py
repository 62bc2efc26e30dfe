"""A CSV file's rows by column name."""

import csv
from collections.abc import Sequence
from pathlib import Path

from zsltf.checks import check_choice, fail

__all__ = ["read_cells", "read_lines"]

_OTHER_MARKS = {";": "semicolons", "\t": "tabs"}


def read_cells(path: Path) -> list[tuple[int, list[str]]]:
    """Each line that isn't blank, or empty cells alone, with its number, the header first, cells stripped.

    Raises:
        ValueError: if it can't be read, or something else than commas separates its columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except OSError as error:
        fail(str(path), "a readable CSV file", str(error.strerror), "Check the path.")
    except UnicodeDecodeError as error:
        fail(str(path), "a CSV file in UTF-8", f"another encoding ({error.reason})", "Save it as UTF-8.")
    except csv.Error as error:
        fail(str(path), "a CSV file", str(error), "Look for a quote that is never closed.")
    lines = [(number, cells) for number, cells in lines if any(cells)]
    for mark, name in _OTHER_MARKS.items():
        if lines and len(lines[0][1]) == 1 and mark in lines[0][1][0]:
            fix = "Save it with commas, and its numbers with points."
            fail(str(path), "columns separated by commas", f"a header with {name}", fix)
    return lines


def read_lines(path: Path, required: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Each row with its line number, cells stripped; blank lines are left out.

    Raises:
        ValueError: if it can't be read, has no row, lacks a column, or a row is longer or shorter than the header.
    """
    lines = read_cells(path)
    if len(lines) < 2:
        fail(str(path), "a header and a row an image", f"{len(lines)} lines", "Add rows.")
    (_, header), *rows = lines
    _check_header(path, header, required)
    for line, row in rows:
        if len(row) != len(header):
            fail(f"{path}, line {line}", f"{len(header)} cells", f"{len(row)}", "Mend the row.")
    return [(line, dict(zip(header, row, strict=True))) for line, row in rows]


def _check_header(path: Path, header: Sequence[str], required: Sequence[str]) -> None:
    if len(set(header)) < len(header):
        fail(str(path), "each column once", ", ".join(header), "Rename columns.")
    for column in required:
        check_choice(f"{path}, columns", column, header)
