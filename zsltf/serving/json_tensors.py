"""Tensors in the JSON of REST's Predict: by rows (`instances`) or by columns (`inputs`).

The order of the checks and their messages are TensorFlow Serving's: tensorflow_serving/util/json_tensor.cc.
"""

import base64
import binascii
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from zsltf.serving.json_values import invalid, joined, kind, number_texts, shown
from zsltf.serving.servable import Tensors
from zsltf.serving.status import RequestError

__all__ = ["decoded", "dtype_text", "is_bytes", "read_inputs", "signature_name", "text_of_bytes", "write_outputs"]

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
_WRITABLE = frozenset(
    ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "bool", "object"]
)


def signature_name(document: Any) -> str:
    """Of a request's document, which has to be an object.

    Raises:
        RequestError: if it isn't, or the name is no text.
    """
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        message = "not formatted correctly. 'signature_name' key must be a string value."
        raise invalid(f"JSON Value: {shown(document)} {message}")
    return name or "serving_default"


def read_inputs(document: dict[str, Any], signature: meta_graph_pb2.SignatureDef) -> tuple[Tensors, bool]:
    """Input tensors by name, and whether they came by rows.

    Raises:
        RequestError: if they are not what the signature takes.
    """
    rows, columns = "instances" in document, "inputs" in document
    if rows and columns:
        message = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
        raise invalid(f"JSON Value: {shown(document)} {message}")
    if not (rows or columns):
        raise invalid("Missing 'inputs' or 'instances' key")
    dtypes = {name: tf.as_dtype(info.dtype) for name, info in sorted(signature.inputs.items())}
    return (_rows(document, dtypes), True) if rows else (_columns(document["inputs"], dtypes), False)


def _columns(value: Any, dtypes: Mapping[str, tf.DType]) -> Tensors:
    if isinstance(value, dict) and not is_bytes(value):
        for name in dtypes:
            if name not in value:
                raise invalid(f"Missing named input: {name} in 'inputs' object.")
        return {name: _tensor(value[name], dtype) for name, dtype in dtypes.items()}
    if len(dtypes) > 1:
        message = "inputs is a plain value/list, but expecting an object as multiple input tensors required"
        raise invalid(f"{message} as per tensorinfo_map")
    return {name: _tensor(value, dtype) for name, dtype in dtypes.items()}


def _rows(document: dict[str, Any], dtypes: Mapping[str, tf.DType]) -> Tensors:
    instances = document["instances"]
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {shown(document)} Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid(f"JSON Value: {shown(document)} No values in 'instances' array")
    named = _is_named(instances[0])
    for i, instance in enumerate(instances):
        if _is_named(instance) != named:
            wanted, found = ("object", "list") if named else ("value/list", "object")
            raise invalid(f"Expecting {wanted} but got {found} at item {i} of input list")
    if named:
        return _named_rows(instances, dtypes)
    if len(dtypes) > 1:
        message = "instances is a plain list, but expecting list of objects as multiple input tensors required"
        raise invalid(f"{message} as per tensorinfo_map")
    return {name: _stacked(instances, dtype, "") for name, dtype in dtypes.items()}


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_bytes(value)


def _named_rows(instances: Sequence[dict[str, Any]], dtypes: Mapping[str, tf.DType]) -> Tensors:
    for i, instance in enumerate(instances):
        for key in instance:
            if key not in dtypes:
                message = f"JSON object: does not have named input: {key}"
                raise invalid(_in_row(f"{i} key: {key}", f"INVALID_ARGUMENT: {message}"))
        if len(instance) < len(dtypes):
            keys = ",".join(dtypes)
            message = f"JSON object: {shown(instance)} keys must be equal to: {keys}"
            raise invalid(f"Failed to process element: {i} of 'instances' list. {message}")
    return {
        name: _stacked([instance[name] for instance in instances], dtype, f" key: {name}")
        for name, dtype in dtypes.items()
    }


def _stacked(values: list[Any], dtype: tf.DType, key: str) -> np.ndarray:
    """One tensor of the tensors of all rows; messages name the row and the key."""
    fast = _fast(values, dtype)
    if fast is not None:
        return fast
    parts: list[np.ndarray] = []
    for i, value in enumerate(values):
        try:
            part = _tensor(value, dtype)
        except RequestError as error:
            raise invalid(_in_row(f"{i}{key}", f"{error.code.name}: {error.message}")) from error
        if parts and part.size != parts[0].size:
            message = f"Expecting tensor size: {parts[0].size} but got: {part.size}"
            raise invalid(_in_row(f"{i}{key}", f"INVALID_ARGUMENT: {message}"))
        if parts and part.shape != parts[0].shape:
            message = f"Expecting shape {_shape_text(parts[0].shape)} but got: {_shape_text(part.shape)}"
            raise invalid(_in_row(f"{i}{key}", f"INVALID_ARGUMENT: {message}"))
        parts.append(part)
    return np.stack(parts)


def _in_row(where: str, error: str) -> str:
    return f"Failed to process element: {where} of 'instances' list. Error: {error}"


def _shape_text(shape: Sequence[int]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _tensor(value: Any, dtype: tf.DType) -> np.ndarray:
    """A rectangular value as a tensor."""
    fast = _fast(value, dtype)
    if fast is not None:
        return fast
    shape, leaves = _shape(value), list[Any]()

    def walk(entry: Any, level: int) -> None:
        if not isinstance(entry, list):
            if level != len(shape):
                message = f"found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {len(shape)}"
                raise invalid(f"JSON Value: {shown(entry)} {message}")
            leaves.append(_leaf(entry, dtype))
            return
        if level >= len(shape):
            raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
        if len(entry) != shape[level]:
            message = (
                f"Encountered list at unexpected size: {len(entry)} at level: {level} expected size: {shape[level]}"
            )
            raise invalid(message)
        for inner in entry:
            walk(inner, level + 1)

    walk(value, 0)
    return _array(leaves, dtype).reshape(shape)


def _fast(value: Any, dtype: tf.DType) -> np.ndarray | None:
    """The tensor if all is as it should be, without a call of ours for each number."""
    shape = _shape(value)
    rows = [value]
    for size in shape:
        if not all(type(row) is list and len(row) == size for row in rows):
            return None
        rows = list(itertools.chain.from_iterable(rows))
    kinds = set(map(type, rows))
    if dtype in _FLOATS:
        return _array(rows, dtype).reshape(shape) if kinds <= {int, float} else None
    if dtype in _INTEGERS and kinds <= {int}:
        limits = np.iinfo(_INTEGERS[dtype])
        inside = not rows or (min(rows) >= limits.min and max(rows) <= limits.max)
        return _array(rows, dtype).reshape(shape) if inside else None
    return None


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


def _leaf(value: Any, dtype: tf.DType) -> Any:
    if dtype in _FLOATS:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif dtype in _INTEGERS:
        limits = np.iinfo(_INTEGERS[dtype])
        fits = isinstance(value, int) and not isinstance(value, bool) and limits.min <= value <= limits.max
    elif dtype == tf.bool:
        fits = isinstance(value, bool)
    elif dtype == tf.string:
        if isinstance(value, dict):
            return decoded(value)
        fits = isinstance(value, str)
    else:
        message = f"Conversion of JSON Value: {shown(value)} to type: {dtype_text(dtype)}"
        raise RequestError(grpc.StatusCode.UNIMPLEMENTED, message)
    if not fits:
        message = f"Type: {kind(value)} is not of expected type: {dtype_text(dtype)}"
        raise invalid(f"JSON Value: {shown(value)} {message}")
    return value.encode("utf-8", "surrogatepass") if dtype == tf.string else value


def dtype_text(dtype: tf.DType) -> str:
    """A type by TensorFlow's own name for it."""
    return {tf.float32: "float", tf.float64: "double", tf.float16: "half"}.get(dtype, dtype.name)


def is_bytes(value: Any) -> bool:
    """Whether it is {"b64": text}."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def text_of_bytes(value: bytes) -> str:
    """Bytes as a member of JSON."""
    return f'{{"b64": "{base64.b64encode(value).decode("ascii")}"}}'


def decoded(value: dict[str, Any]) -> bytes:
    """The bytes of {"b64": text}."""
    if not is_bytes(value):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    try:
        text = value["b64"].replace("-", "+").replace("_", "/")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise invalid("Unable to base64 decode") from error


def write_outputs(outputs: Tensors, *, by_rows: bool) -> bytes:
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
    return "{" + ", ".join(f"{shown(name)}: {text}" for name, text in texts.items()) + "}"


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
        return [text_of_bytes(entry) for entry in flat]
    return [shown(entry.decode("utf-8", "surrogateescape")) for entry in flat]


def _nested(texts: Sequence[str], shape: Sequence[int]) -> str:
    if not shape:
        return texts[0]
    if len(shape) == 1:
        return joined(texts)
    size = int(np.prod(shape[1:]))
    return joined(_nested(texts[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0]))
