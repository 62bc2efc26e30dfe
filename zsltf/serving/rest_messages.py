"""What a REST client posts, and how it reads what comes back."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from zsltf.serving.calls import Call
from zsltf.serving.target import ServerError

__all__ = ["document", "outputs", "predict_content"]

_SHOWN = 500  # characters of an answer that is none


def predict_content(call: Call[Any]) -> str:
    """The body of a Predict in column form."""
    return json.dumps({"signature_name": call.signature, "inputs": {n: _as_json(v) for n, v in call.inputs.items()}})


def document(status: int, body: bytes) -> dict[str, Any]:
    """Of an answer.

    Raises:
        ServerError: if it is a refusal, or no JSON object.
    """
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        shown = body[:_SHOWN].decode("utf-8", "replace").strip() or f"{len(body)} blank bytes"
        raise ServerError(str(status), f"the answer is no JSON object: {shown}")
    if status != 200 or "error" in found:
        raise ServerError(str(status), str(found.get("error", found))[:_SHOWN])
    return found


def outputs(status: int, body: bytes) -> dict[str, np.ndarray]:
    """Of a Predict in column form: one output stands there without its name.

    Raises:
        ServerError: if it is a refusal, or holds none.
    """
    found = document(status, body)
    if "outputs" not in found:
        raise ServerError(str(status), f"the answer has no outputs: {str(found)[:_SHOWN]}")
    named = found["outputs"] if isinstance(found["outputs"], Mapping) else {"": found["outputs"]}
    return _Named({name: _from_json(value) for name, value in named.items()})


class _Named(dict[str, np.ndarray]):
    """Outputs by name; the only one answers to any."""

    def __missing__(self, name: str) -> np.ndarray:
        return self[""]


def _as_json(value: np.ndarray) -> Any:
    if value.dtype == object:
        return [{"b64": base64.b64encode(entry).decode("ascii")} for entry in value]
    return value.tolist()


def _from_json(value: Any) -> np.ndarray:
    first = value
    while isinstance(first, list) and first:
        first = first[0]
    if isinstance(first, str):
        return np.array([entry.encode("utf-8") for entry in value], object)
    return np.array(value, np.float32)
