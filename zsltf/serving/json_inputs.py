"""Input tensors in the JSON of REST's Predict: by rows (`instances`) or by columns (`inputs`).

The order of the checks and their messages are TensorFlow Serving's: tensorflow_serving/util/json_tensor.cc.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from zsltf.serving.json_tensors import fast_tensor, is_bytes, tensor
from zsltf.serving.json_values import invalid, shown
from zsltf.serving.servable import Tensors
from zsltf.serving.status import RequestError

__all__ = ["read_inputs", "signature_name"]

_BLOCK = 1024
"""Rows that are read together where not all are as they should be."""


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
        return {name: tensor(value[name], dtype) for name, dtype in dtypes.items()}
    if len(dtypes) > 1:
        message = "inputs is a plain value/list, but expecting an object as multiple input tensors required"
        raise invalid(f"{message} as per tensorinfo_map")
    return {name: tensor(value, dtype) for name, dtype in dtypes.items()}


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
    fast = fast_tensor(values, dtype)
    if fast is not None:
        return fast
    parts: list[np.ndarray] = []
    for start in range(0, len(values), _BLOCK):
        fast = fast_tensor(values[start : start + _BLOCK], dtype) if len(values) > _BLOCK else None
        if fast is not None and (not parts or fast.shape[1:] == parts[0].shape[1:]):
            parts.append(fast)
            continue
        shape = parts[0].shape[1:] if parts else None
        parts.append(_block(values[start : start + _BLOCK], dtype, key, start, shape))
    return np.concatenate(parts)


def _block(values: list[Any], dtype: tf.DType, key: str, start: int, shape: Sequence[int] | None) -> np.ndarray:
    """Rows from `start` on, one by one."""
    parts: list[np.ndarray] = []
    for i, value in enumerate(values, start):
        try:
            part = tensor(value, dtype)
        except RequestError as error:
            raise invalid(_in_row(f"{i}{key}", f"{error.code.name}: {error.message}")) from error
        shape = part.shape if shape is None else shape
        if part.size != math.prod(shape):
            message = f"Expecting tensor size: {math.prod(shape)} but got: {part.size}"
            raise invalid(_in_row(f"{i}{key}", f"INVALID_ARGUMENT: {message}"))
        if part.shape != shape:
            message = f"Expecting shape {_shape_text(shape)} but got: {_shape_text(part.shape)}"
            raise invalid(_in_row(f"{i}{key}", f"INVALID_ARGUMENT: {message}"))
        parts.append(part)
    return np.stack(parts)


def _in_row(where: str, error: str) -> str:
    return f"Failed to process element: {where} of 'instances' list. Error: {error}"


def _shape_text(shape: Sequence[int]) -> str:
    return f"[{','.join(map(str, shape))}]"
