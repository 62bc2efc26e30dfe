"""Output tensors in the JSON of REST's Predict: by rows (`predictions`) or by columns (`outputs`).

The messages are TensorFlow Serving's: tensorflow_serving/util/json_tensor.cc.
"""

import base64
import json
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from zsltf.serving.json_tensors import dtype_text
from zsltf.serving.json_values import invalid, joined, number_texts
from zsltf.serving.servable import Tensors

__all__ = ["write_outputs"]

_WRITABLE = frozenset(
    ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "bool", "object"]
)


def write_outputs(outputs: Tensors, by_rows: bool) -> bytes:
    """The answer's document.

    Raises:
        RequestError: if a tensor has a type that JSON can't carry, or rows can't be told apart.
    """
    if not by_rows:
        texts = {name: _nested(_texts(name, value), value.shape) for name, value in outputs.items()}
        return f'{{\n    "outputs": {_alone_or_named(texts)}\n}}'.encode("utf-8", "surrogateescape")
    count = None
    for name, value in outputs.items():
        if not value.ndim:
            raise invalid(f"Tensor name: {name} has no shape information ")
        count = len(value) if count is None else count
        if len(value) != count:
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(value)} expecting: {count}")
    columns = {name: _row_texts(name, value) for name, value in outputs.items()}
    rows = [_alone_or_named({name: column[i] for name, column in columns.items()}) for i in range(count or 0)]
    return f'{{\n    "predictions": {joined(rows)}\n}}'.encode("utf-8", "surrogateescape")


def _alone_or_named(texts: Mapping[str, str]) -> str:
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {text}" for name, text in texts.items()) + "}"


def _row_texts(name: str, value: np.ndarray) -> list[str]:
    texts, size = _texts(name, value), int(np.prod(value.shape[1:]))
    return [_nested(texts[i * size : (i + 1) * size], value.shape[1:]) for i in range(len(value))]


def _texts(name: str, value: np.ndarray) -> list[str]:
    """Of each number or string."""
    if value.dtype.name not in _WRITABLE:
        raise invalid(f"Failed to write JSON value for tensor type: {dtype_text(tf.as_dtype(value.dtype))}")
    flat = value.ravel()
    if value.dtype != object:
        return number_texts(flat)
    if name.endswith("_bytes"):
        return [_text_of_bytes(entry) for entry in flat]
    return [json.dumps(entry.decode("utf-8", "surrogateescape"), ensure_ascii=False) for entry in flat]


def _nested(texts: Sequence[str], shape: Sequence[int]) -> str:
    if not shape:
        return texts[0]
    if len(shape) == 1:
        return joined(texts)
    size = int(np.prod(shape[1:]))
    return joined(_nested(texts[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0]))


def _text_of_bytes(value: bytes) -> str:
    """Bytes as a member of JSON."""
    return f'{{"b64": "{base64.b64encode(value).decode("ascii")}"}}'
