"""JSON as TensorFlow Serving prints it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import grpc
import numpy as np

from zsltf.serving.status import RequestError

__all__ = ["invalid", "joined", "kind", "number_texts", "printed", "shown"]

_LONGEST = 128
"""Characters of a value that a message quotes; the binary quotes all."""
_KINDS = {type(None): "Null", bool: "", dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}


def invalid(message: str) -> RequestError:
    """What to raise for a request that is not well formed."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)


def kind(value: Any) -> str:
    """The name of a value's type."""
    return str(value) if isinstance(value, bool) else _KINDS[type(value)]


def shown(value: Any) -> str:
    """A value as messages quote it: indented by four, and cut where it is long."""
    text = ""
    for piece in _pieces(value, 0, _LONGEST):
        text += piece
        if len(text) > _LONGEST:
            return f"{text[:_LONGEST]}..."
    return text


def printed(value: Any) -> str:
    """A document of ours, indented by four."""
    return "".join(_pieces(value, 0))


def _pieces(value: Any, depth: int, longest: int | None = None) -> Iterator[str]:
    """Text by and by, of strings as much as a message may need."""
    inner, outer, opened = "    " * (depth + 1), "    " * depth, "\n"
    if isinstance(value, dict) and value:
        yield "{"
        for key, entry in value.items():
            yield f"{opened}{inner}{json.dumps(key[:longest], ensure_ascii=False)}: "
            yield from _pieces(entry, depth + 1, longest)
            opened = ",\n"
        yield f"\n{outer}}}"
    elif isinstance(value, list) and value:
        yield "["
        for entry in value:
            yield f"{opened}{inner}"
            yield from _pieces(entry, depth + 1, longest)
            opened = ",\n"
        yield f"\n{outer}]"
    elif isinstance(value, float) or (isinstance(value, int) and not -(2**63) <= value < 2**64):
        with np.errstate(over="ignore"):
            yield number_texts(np.array([float(value)]).astype(np.float32))[0]
    else:
        yield json.dumps(value[:longest] if isinstance(value, str) else value, ensure_ascii=False)


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
