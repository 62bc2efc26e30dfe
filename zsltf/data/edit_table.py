"""A table of edits to the classes of an exported file, in JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.checks import fail

__all__ = ["EditTable", "read_edit_table"]

_LARGEST = float(np.finfo(np.float32).max)
_FORM = (
    '{"remove": [name], "rename": {old: new}, "add": [{"name": ..., "semantics" or "photos" or "vector" and "bias":'
    ' ...}], "of": [name]}'
)


@dataclass(frozen=True, kw_only=True)
class EditTable:
    """What shall change; each part may be left out."""

    of: Sequence[str] = ()
    """The classes that the table was made for, in order; none for any."""
    remove: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    """Old name -> new name."""
    add: Sequence[Mapping[str, Any]] = ()
    """`name`, and `semantics` {column: number}, `photos` [path] or both; or `vector` [number] and `bias`, which a page
    found for its photos, and perhaps `semantics`."""


def read_edit_table(path: Path) -> EditTable:
    """Read an EditTable, as the web page writes it and people do.

    Raises:
        ValueError: if it says something else.
    """
    if not path.is_file():
        fail(str(path), "a table in JSON", "none", "Check the path.")
    try:
        table = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        fail(str(path), "a table in JSON", f"something else ({error})", "Mend the table.")
    if not isinstance(table, dict):
        fail(str(path), _FORM, f"{table!r:.80}", "Mend the table.")
    for part, value in table.items():
        if part not in _FORMS or not _FORMS[part](value):
            fail(str(path), _FORM, f"{part!r}: {_wrong(part, value)!r:.80}", "Mend the table.")
    return EditTable(**table)


def _wrong(part: str, value: Any) -> Any:
    """The first class of those to add that is none, or all of the part."""
    entries = value if part == "add" and isinstance(value, list) else []
    return [entry for entry in entries if not _is_class(entry)][:1] or value


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _are_names(values: Any) -> bool:
    return isinstance(values, dict) and _are_texts(list(values.values()))


def _are_classes(values: Any) -> bool:
    return isinstance(values, list) and all(map(_is_class, values))


def _is_class(entry: Any) -> bool:
    if not isinstance(entry, dict) or "name" not in entry:
        return False
    given = set(entry) - {"name"}
    if not (given and given <= {"photos", "semantics"}) and given - {"semantics"} != {"vector", "bias"}:
        return False
    return all(_FORMS_OF_CLASS[part](value) for part, value in entry.items())


def _are_photos(values: Any) -> bool:
    return _are_texts(values) and all([*values, values])


def _are_numbers(values: Any) -> bool:
    return isinstance(values, dict) and all(map(_is_number, values.values()))


def _are_a_vector(values: Any) -> bool:
    return isinstance(values, list) and all(map(_is_number, values))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


_FORMS = {"of": _are_texts, "remove": _are_texts, "rename": _are_names, "add": _are_classes}
_FORMS_OF_CLASS = {
    "name": lambda value: isinstance(value, str),
    "photos": _are_photos,
    "semantics": _are_numbers,
    "vector": _are_a_vector,
    "bias": _is_number,
}
