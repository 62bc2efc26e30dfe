"""JSON as TensorFlow Serving reads and prints it: NaN and Infinity are numbers, the first of two equal keys counts."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import grpc
import numpy as np

from zsltf.serving.status import RequestError

__all__ = ["invalid", "joined", "kind", "number_texts", "parse", "shown"]

_MESSAGES = {
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Extra data": "The document root must not be followed by other values.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid control character at": "Invalid encoding in string.",
}
_BEYOND = re.compile(r"\d{309}")
"""An integer that no float holds."""
_KINDS = {type(None): "Null", bool: "", dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}


def invalid(message: str) -> RequestError:
    """What to raise for a request that is not well formed."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)


def parse(body: bytes) -> Any:
    """Read a document.

    Raises:
        RequestError: if it is none.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _parse_error("Invalid encoding in string.", error.start) from error
    try:
        return _loaded(text)
    except UnicodeEncodeError as error:
        raise _parse_error("The surrogate pair in string is invalid.", 0) from error
    except OverflowError as error:
        raise _parse_error("Number too big to be stored in double.", 0) from error
    except json.JSONDecodeError as error:
        raise _parse_error(_message(error), error.pos) from error
    except RecursionError as error:
        raise _parse_error("Terminate parsing due to Handler error.", 0) from error


def _loaded(text: str) -> Any:
    if _BEYOND.search(text):
        raise OverflowError
    exponents = "e" in text or "E" in text
    document = json.loads(text, object_pairs_hook=_first_wins, parse_float=_finite if exponents else None)
    if "\\u" in text:
        json.dumps(document, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    return document


def _parse_error(message: str, offset: int) -> RequestError:
    return invalid(f"JSON Parse error: {message} at offset: {offset}")


def _message(error: json.JSONDecodeError) -> str:
    if not error.doc.strip():
        return "The document is empty."
    if error.msg == "Expecting ',' delimiter":
        opened = _innermost(error.doc[: error.pos])
        return (
            "Missing a comma or ] after an array element."
            if opened == "["
            else "Missing a comma or } after an object member."
        )
    return _MESSAGES.get(
        error.msg, "Invalid escape character in string." if "escape" in error.msg else "Invalid value."
    )


def _innermost(text: str) -> str:
    """The last bracket that is still open."""
    depth, quoted = 0, False
    for i in range(len(text) - 1, -1, -1):
        sign = text[i]
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign in "]}":
            depth += 1
        elif not quoted and sign in "[{":
            if not depth:
                return sign
            depth -= 1
    return ""


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


def kind(value: Any) -> str:
    """The name of a value's type."""
    return str(value) if isinstance(value, bool) else _KINDS[type(value)]


def shown(value: Any) -> str:
    """A value as messages quote it: indented by four."""
    return _shown(value, 0)


def _shown(value: Any, depth: int) -> str:
    inner, outer = "    " * (depth + 1), "    " * depth
    if isinstance(value, dict) and value:
        members = (f"{inner}{_shown(key, 0)}: {_shown(entry, depth + 1)}" for key, entry in value.items())
        return "{\n" + ",\n".join(members) + f"\n{outer}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"{inner}{_shown(entry, depth + 1)}" for entry in value) + f"\n{outer}]"
    if isinstance(value, float) or (isinstance(value, int) and not -(2**63) <= value < 2**64):
        with np.errstate(over="ignore"):
            return number_texts(np.array([float(value)]).astype(np.float32))[0]
    return json.dumps(value, ensure_ascii=False)


def number_texts(values: np.ndarray) -> list[str]:
    """Numbers (N,) as text: six digits where they say all of a float, else nine, or 17 in float64."""
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if values.dtype.kind != "f":
        return list(map(str, values.tolist()))
    with np.errstate(over="ignore"):
        numbers = values.tolist()
        texts = [f"{number:.6g}" for number in numbers]
        exact = np.array([float(text) for text in texts]).astype(values.dtype) == values
    digits = 9 if values.dtype == np.float32 else 17
    for i in np.flatnonzero(~exact):
        texts[i] = f"{numbers[i]:.{digits}g}"
    return [_as_float(text) for text in texts]


def _as_float(text: str) -> str:
    if text in ("nan", "inf", "-inf"):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[text]
    return text if "." in text or "e" in text else f"{text}.0"


def joined(texts: Iterable[str]) -> str:
    """A list of values that are text already."""
    return f"[{', '.join(texts)}]"
