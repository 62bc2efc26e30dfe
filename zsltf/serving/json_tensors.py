"""JSON values to tensors, in the order of checks and with the messages of tensorflow_serving/util/json_tensor.cc."""

import base64
import binascii
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import numpy as np
import tensorflow as tf

from zsltf.serving.json_values import invalid, kind, shown
from zsltf.serving.status import RequestError

__all__ = ["decoded", "dtype_text", "fast_tensor", "is_bytes", "tensor"]

_INTEGERS: dict[Any, Any] = {
    tf.int8: np.int32,
    tf.uint8: np.int32,
    tf.int16: np.int32,
    tf.int32: np.int32,
    tf.int64: np.int64,
    tf.uint32: np.uint32,
    tf.uint64: np.uint64,
}
"""What a whole number has to fit in; narrower types keep its lowest bits."""
_FLOATS = (tf.float32, tf.float64)
_KINDS: dict[Any, set[type]] = {
    **{dtype: {int} for dtype in _INTEGERS},
    **{dtype: {int, float} for dtype in _FLOATS},
    tf.bool: {bool},
    tf.string: {str},
}
"""Which values a type takes; strings may be objects of base64, too."""
_MOST_DIMENSIONS = 63
"""Of NumPy's arrays, less one for the rows."""
_BLOCK = 2**18
"""Values that are turned into numbers at once; other threads wait for it."""


def tensor(value: Any, dtype: tf.DType) -> np.ndarray:
    """A rectangular value as a tensor.

    Raises:
        RequestError: if it is none of this type.
    """
    fast = fast_tensor(value, dtype)
    if fast is not None:
        return fast
    shape, leaves, read = _shape(value), list[Any](), _reader(dtype)
    if len(shape) > _MOST_DIMENSIONS:
        raise invalid(f"Encountered list at unexpected level: {len(shape)} expected < {_MOST_DIMENSIONS + 1}")
    _walk(value, 0, shape, lambda leaf: leaves.append(read(leaf)))
    return _array(leaves, dtype).reshape(shape)


def _walk(entry: Any, level: int, shape: Sequence[int], visit: Callable[[Any], None]) -> None:
    """Visit the leaves of a rectangular value."""
    if not isinstance(entry, list):
        if level != len(shape):
            message = f"found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {len(shape)}"
            raise invalid(f"JSON Value: {shown(entry)} {message}")
        visit(entry)
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(entry) != shape[level]:
        sizes = f"{len(entry)} at level: {level} expected size: {shape[level]}"
        raise invalid(f"Encountered list at unexpected size: {sizes}")
    for inner in entry:
        _walk(inner, level + 1, shape, visit)


def fast_tensor(value: Any, dtype: tf.DType) -> np.ndarray | None:
    """The tensor if all is as it should be, without a call of ours for each number."""
    shape = _shape(value)
    if len(shape) > _MOST_DIMENSIONS:
        return None
    rows = [value]
    for size in shape:
        if not all(type(row) is list and len(row) == size for row in rows):
            return None
        rows = rows[0] if len(rows) == 1 else list(itertools.chain.from_iterable(rows))
    parts = []
    for start in range(0, len(rows) or 1, _BLOCK):
        part = _part(rows[start : start + _BLOCK], dtype)
        if part is None:
            return None
        parts.append(part)
    return np.concatenate(parts).reshape(shape)


def _part(leaves: list[Any], dtype: tf.DType) -> np.ndarray | None:
    if not (dtype in _KINDS and set(map(type, leaves)) <= _KINDS[dtype]):
        return None
    if dtype in _INTEGERS and leaves:
        limits = np.iinfo(_INTEGERS[dtype])
        if min(leaves) < limits.min or max(leaves) > limits.max:
            return None
    if dtype == tf.string:
        leaves = [leaf.encode("utf-8", "surrogateescape") for leaf in leaves]
    return _array(leaves, dtype)


def _shape(value: Any) -> list[int]:
    """By its first elements."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return shape


def _array(leaves: list[Any], dtype: tf.DType) -> np.ndarray:
    if dtype == tf.string:
        array = np.empty(len(leaves), object)
        array[:] = leaves
        return array
    with np.errstate(over="ignore"):
        wide = np.array(leaves, _INTEGERS.get(dtype, np.float64 if dtype in _FLOATS else None))
        return wide.astype(dtype.as_numpy_dtype)


def _reader(dtype: tf.DType) -> Callable[[Any], Any]:
    """What reads one value, or refuses it."""
    kinds, text = _KINDS.get(dtype), dtype_text(dtype)
    limits = np.iinfo(_INTEGERS[dtype]) if dtype in _INTEGERS else None
    least, most = (limits.min, limits.max) if limits is not None else (-math.inf, math.inf)

    def read(value: Any) -> Any:
        if kinds is None:
            message = f"Conversion of JSON Value: {shown(value)} to type: {text}"
            raise RequestError(grpc.StatusCode.UNIMPLEMENTED, message)
        if str in kinds and isinstance(value, dict):
            return decoded(value)
        if type(value) not in kinds or (limits is not None and not least <= value <= most):
            raise invalid(f"JSON Value: {shown(value)} Type: {kind(value)} is not of expected type: {text}")
        return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value

    return read


def dtype_text(dtype: tf.DType) -> str:
    """A type by TensorFlow's own name for it."""
    return {tf.float32: "float", tf.float64: "double", tf.float16: "half"}.get(dtype, dtype.name)


def is_bytes(value: Any) -> bool:
    """Whether it is {"b64": text}."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def decoded(value: dict[str, Any]) -> bytes:
    """The bytes of {"b64": text}."""
    if not is_bytes(value):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    try:
        text = value["b64"].replace("-", "+").replace("_", "/")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise invalid("Unable to base64 decode") from error
