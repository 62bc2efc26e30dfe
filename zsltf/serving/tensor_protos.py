"""Tensors in gRPC's messages, by the typed fields that TensorFlow Serving fills."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

__all__ = ["from_array", "to_array"]

_MOST = 2**28
"""Numbers that a message which repeats its last value may stand for."""
_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.uint8: "int_val",
    tf.uint16: "int_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}


def from_array(value: np.ndarray) -> tensor_pb2.TensorProto:
    """A tensor's message."""
    dtype = tf.as_dtype(value.dtype)
    field = _FIELDS.get(dtype)
    if field is None:
        return tf.make_tensor_proto(value)
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    proto.tensor_shape.CopyFrom(tf.TensorShape(value.shape).as_proto())
    getattr(proto, field).extend(value.ravel().tolist())
    return proto


def to_array(proto: tensor_pb2.TensorProto) -> np.ndarray:
    """A message's tensor: fewer values than it has places repeat the last, none are zeros, the surplus is dropped.

    Raises:
        ValueError: if it is none.
    """
    dtype = tf.as_dtype(proto.dtype)
    field = _FIELDS.get(dtype)
    if proto.tensor_content or field is None:
        return tf.make_ndarray(proto)
    shape = [dim.size for dim in proto.tensor_shape.dim]
    size = math.prod(shape)
    if min(shape, default=0) < 0 or size > _MOST:
        raise ValueError(f"a tensor of shape {shape}")
    values = list(getattr(proto, field)[:size]) or [b"" if dtype == tf.string else 0]
    if dtype == tf.string:
        array = np.full(size, values[-1], object)
        array[: min(size, len(values))] = values[:size]
    else:
        array = np.full(size, values[-1], dtype.as_numpy_dtype)
        array[: min(size, len(values))] = values[:size]
    return array.reshape(shape)
