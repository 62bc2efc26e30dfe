"""JSON as TensorFlow Serving reads it, with its messages and offsets.

Source: RapidJSON's reader.h, with kParseNanAndInfFlag: NaN, Inf and Infinity are numbers, a zero byte ends the
document, bytes that are no UTF-8 are taken as they are, the first of two equal keys counts.
"""

import codecs
import json
import math
import re
from collections.abc import Sequence
from typing import Any

from zsltf.serving.json_faults import CONSTANT, TOKEN, half_pair, syntax_fault, too_big
from zsltf.serving.json_values import invalid

__all__ = ["parse"]

_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * 309
"""Digits of an integer that no float may hold."""
_LARGE = 2**20
"""Bytes of a document that other threads shouldn't have to wait for."""


def parse(body: bytes) -> Any:
    """Read a document; bytes in strings that are no UTF-8 are escaped as by "surrogateescape".

    Raises:
        RequestError: if it is none.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    content = body.removeprefix(codecs.BOM_UTF8).partition(b"\0")[0]
    text = content.decode("utf-8", "surrogateescape")
    document: Any = None
    fault: tuple[str, int] | None = None
    try:
        document = _loaded(text, _hooks(content))
    except json.JSONDecodeError as error:
        fault = syntax_fault(text, error)
    except OverflowError:
        fault = "Number too big to be stored in double.", too_big(text)
    except RecursionError:
        fault = "Terminate parsing due to Handler error.", 0
    half = half_pair(text, len(text) if fault is None else fault[1])
    if half is not None:
        fault = "The surrogate pair in string is invalid.", half
    if fault is not None:
        before = len(text[: fault[1]].encode("utf-8", "surrogateescape"))
        mark = len(codecs.BOM_UTF8) if body.startswith(codecs.BOM_UTF8) else 0
        raise invalid(f"JSON Parse error: {fault[0]} at offset: {mark + before}")
    return document


def _hooks(content: bytes) -> dict[str, Any]:
    """How numbers are read: integers without a call of ours, unless one may be too big or other threads wait."""
    if len(content) > _LARGE or _LONG in content.translate(_ZEROS):
        return {"parse_float": _finite, "parse_int": _whole}
    return {"parse_float": _finite}


def _loaded(text: str, hooks: dict[str, Any]) -> Any:
    try:
        return json.JSONDecoder(object_pairs_hook=_first_wins, **hooks).decode(text)
    except json.JSONDecodeError as error:
        if not CONSTANT.match(text, error.pos):
            raise
    values: list[float] = []

    def known(token: re.Match[str]) -> str:
        """A constant that Python's decoder knows, of the same length."""
        if token["constant"] is None:
            return token[0]
        values.append(float(token[0]))
        return "NaN".rjust(len(token[0]))

    text, constants = TOKEN.sub(known, text), iter(values)
    hooks = {**hooks, "parse_constant": lambda _: next(constants)}
    return json.JSONDecoder(object_pairs_hook=_first_wins, **hooks).decode(text)


def _first_wins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        found = dict(reversed(pairs))
        found = {key: found[key] for key, _ in pairs}
    return found


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise OverflowError(text)
    return value


def _whole(text: str) -> int | float:
    return int(text) if len(text) < len(_LONG) else _finite(text)
