"""Tensors in gRPC's messages, by the typed fields that TensorFlow Serving fills.

Source: tensorflow/core/framework/tensor.cc (tensorflow/tensorflow), FromProto and AsProtoField.
"""

import functools
import math
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

__all__ = ["LARGEST_REPEAT", "SMALL", "from_array", "is_large", "to_array"]

LARGEST_REPEAT = 2**26
"""Bytes that the repeated last value of a message may fill."""
SMALL = 2**14
"""Bytes or values that are read in less time than a change of threads takes."""
_MOST_DIMENSIONS = 254  # of TensorFlow's shapes
_PIECE = 2**16  # values that are copied at a time, between which other threads may run
_STRING_BYTES = 24  # TensorFlow's tstring
_FIELDS: dict[tf.DType, tuple[str, Any]] = {
    tf.float32: ("float_val", np.float32),
    tf.float64: ("double_val", np.float64),
    tf.int8: ("int_val", np.int32),
    tf.int16: ("int_val", np.int32),
    tf.int32: ("int_val", np.int32),
    tf.uint8: ("int_val", np.int32),
    tf.uint16: ("int_val", np.int32),
    tf.int64: ("int64_val", np.int64),
    tf.uint32: ("uint32_val", np.uint32),
    tf.uint64: ("uint64_val", np.uint64),
    tf.bool: ("bool_val", np.bool_),
    tf.string: ("string_val", object),
    tf.float16: ("half_val", np.int32),
    tf.bfloat16: ("half_val", np.int32),
    tf.complex64: ("scomplex_val", np.float32),
    tf.complex128: ("dcomplex_val", np.float64),
}
"""The field of a type, and what stands in it."""
_PARTS: dict[tf.DType, Any] = {
    tf.float16: np.uint16,
    tf.bfloat16: np.uint16,
    tf.complex64: np.float32,
    tf.complex128: np.float64,
}
"""Types whose field holds their bits, or their real and imaginary parts in turn."""


_as_dtype = functools.lru_cache(maxsize=64)(tf.as_dtype)


def from_array(value: np.ndarray) -> tensor_pb2.TensorProto:
    """A tensor's message."""
    dtype = _as_dtype(value.dtype)
    if dtype not in _FIELDS:
        return tf.make_tensor_proto(value)
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    for size in value.shape:
        proto.tensor_shape.dim.add().size = size
    parts = np.ascontiguousarray(value).ravel().view(_PARTS.get(dtype, value.dtype))
    getattr(proto, _FIELDS[dtype][0]).extend(parts.tolist())
    return proto


def is_large(proto: tensor_pb2.TensorProto) -> bool:
    """Whether `to_array` takes longer than an event loop should wait."""
    return proto.ByteSize() > SMALL or math.prod(dim.size for dim in proto.tensor_shape.dim) > SMALL


def to_array(proto: tensor_pb2.TensorProto, largest_repeat: int = LARGEST_REPEAT) -> np.ndarray:
    """A message's tensor: fewer values than it has places repeat the last, none are zeros, the surplus is dropped.

    Args:
        proto: the message.
        largest_repeat: bytes that the repeated value may fill.

    Raises:
        ValueError: if it is none, or the repeated value fills more.
    """
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if len(shape) > _MOST_DIMENSIONS or min(shape, default=0) < 0:
        raise ValueError(f"a tensor of shape {shape[:_MOST_DIMENSIONS]}")
    dtype = _as_dtype(proto.dtype)
    if proto.tensor_content:
        if dtype not in _FIELDS or dtype == tf.string:
            return tf.make_ndarray(proto)
        return np.frombuffer(proto.tensor_content, dtype.as_numpy_dtype).reshape(shape)
    if dtype not in _FIELDS:
        raise ValueError(f"a tensor of type {dtype.name} without tensor_content")
    field, unit = _FIELDS[dtype]
    values, parts, size = getattr(proto, field), 2 if dtype.is_complex else 1, math.prod(shape)
    given = min(len(values) // parts, size)
    nothing: list[Any] = [b"" if dtype == tf.string else 0] * parts
    last = values[(given - 1) * parts : given * parts] if given else nothing
    each = _STRING_BYTES + len(last[0]) if dtype == tf.string else dtype.size
    if (size - given) * each > largest_repeat:
        raise ValueError("a value that is repeated too often")
    array = np.empty((size, parts), _PARTS.get(dtype, dtype.as_numpy_dtype))
    step = _PIECE // parts
    for start in range(0, given, step):
        stop = min(start + step, given)
        array[start:stop] = np.array(values[start * parts : stop * parts], unit).reshape(-1, parts)
    array[given:] = np.array(last, unit)
    return array.view(dtype.as_numpy_dtype).reshape(shape)
