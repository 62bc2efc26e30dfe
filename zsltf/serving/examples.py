"""Examples of Classify and Regress, in JSON or as protos, to what a model parses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import input_pb2

from zsltf.serving.json_tensors import decoded, is_bytes
from zsltf.serving.json_values import invalid, kind, shown

__all__ = ["of_input", "of_json"]


def of_json(document: dict[str, Any]) -> np.ndarray:
    """Serialised examples (N,) of a request's document; its context comes before each.

    Raises:
        RequestError: if they are no examples.
    """
    context = _example(document["context"]) if "context" in document else b""
    if "examples" not in document:
        message = "When method is classify, key 'examples' is expected and was not found"
        raise invalid(f"JSON Value: {shown(document)} {message}")
    examples = document["examples"]
    if not isinstance(examples, list):
        raise invalid(f"JSON Value: {shown(document)} Expecting 'examples' value to be an list/array")
    if not examples:
        raise invalid(f"JSON Value: {shown(document)} 'examples' value is an empty array")
    return _strings([context + _example(example) for example in examples])


def of_input(given: input_pb2.Input) -> np.ndarray:
    """Serialised examples (N,) of a gRPC request.

    Raises:
        RequestError: if there are none.
    """
    if given.HasField("example_list_with_context"):
        both = given.example_list_with_context
        context = both.context.SerializeToString()
        found = [context + example.SerializeToString() for example in both.examples]
    else:
        found = [example.SerializeToString() for example in given.example_list.examples]
    if not found:
        raise invalid("Input is empty.")
    return _strings(found)


def _strings(values: Sequence[bytes]) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _example(value: Any) -> bytes:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {kind(value)}")
    features = {name: _feature(name, entry if isinstance(entry, list) else [entry]) for name, entry in value.items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def _feature(name: str, values: list[Any]) -> tf.train.Feature:
    kinds = [_feature_kind(name, value) for value in values]
    for found in kinds[1:]:
        if found != kinds[0]:
            raise invalid(f"Unexpected element type in feature: {name} expecting type: {kinds[0]}")
    if not kinds:
        return tf.train.Feature()
    if kinds[0] == "float":
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    if kinds[0] == "int64":
        return tf.train.Feature(int64_list=tf.train.Int64List(value=map(int, values)))
    texts = [
        decoded(value) if isinstance(value, dict) else value.encode("utf-8", "surrogateescape") for value in values
    ]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))


def _feature_kind(name: str, value: Any) -> str:
    if isinstance(value, float):
        return "float"
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
        return "int64"
    if isinstance(value, str) or is_bytes(value):
        return "bytes"
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {kind(value)}")
