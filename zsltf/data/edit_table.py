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
_FORM = '{"remove": [name], "rename": {old: new}, "add": [{"name": ..., "semantics" or "photos": ...}]}'


@dataclass(frozen=True, kw_only=True)
class EditTable:
    """What shall change; each part may be left out."""

    remove: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    """Old name -> new name."""
    add: Sequence[Mapping[str, Any]] = ()
    """`name`, and `semantics` {column: number}, `photos` [path] or both."""


def read_edit_table(path: Path) -> EditTable:
    """Read {"remove": [name], "rename": {old: new}, "add": [{"name": ..., "semantics" or "photos": ...}]}.

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
            fail(str(path), _FORM, f"{part!r}: {value!r:.80}", "Mend the table.")
    return EditTable(**table)


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _are_names(values: Any) -> bool:
    return isinstance(values, dict) and _are_texts(list(values.values()))


def _are_classes(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and {"name"} < set(entry) <= {"name", "photos", "semantics"}
        and ("photos" not in entry or _are_photos(entry["photos"]))
        and ("semantics" not in entry or _are_numbers(entry["semantics"]))
        for entry in values
    )


def _are_photos(values: Any) -> bool:
    return _are_texts(values) and all([*values, values])


def _are_numbers(values: Any) -> bool:
    numbers = values.values() if isinstance(values, dict) else [None]
    return all(isinstance(n, int | float) and not isinstance(n, bool) and abs(n) <= _LARGEST for n in numbers)


_FORMS = {"remove": _are_texts, "rename": _are_names, "add": _are_classes}
