"""TFLite files put together: two graphs in one file, whose weights are stored once."""

import copy
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from zsltf.checks import fail

__all__ = ["check_single_graph", "class_table", "two_entries", "with_metadata", "with_table"]

_CLASS_INPUTS = ("class_vectors", "class_bias")


def two_entries(trunk: bytes, comparison: bytes, table: Mapping[str, np.ndarray]) -> bytes:
    """One file from images -> features and features, class_vectors, class_bias -> embedding, scores, probabilities.

    Its entries are `serving_default` (images), with the class table as constants, which the classic API runs for it
    comes first, and `open_vocabulary` (images, class_vectors, class_bias).
    """
    model = _unpacked(trunk)
    open_entry = _joined(model, _unpacked(comparison))
    _set_entries(model, open_entry, table)
    return _packed(model)


def class_table(content: bytes) -> dict[str, np.ndarray]:
    """The constants that `serving_default` compares with."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    built_in, open_entry = model.subgraphs
    tensors = {name: built_in.tensors[index] for name, index in _class_inputs(open_entry)}
    return {
        name: np.frombuffer(bytes(model.buffers[tensor.buffer].data), np.float32).reshape(tensor.shape)
        for name, tensor in tensors.items()
    }


def with_table(content: bytes, table: Mapping[str, np.ndarray]) -> bytes:
    """The file with another class table, of any number of classes."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    built_in, open_entry = model.subgraphs
    old = sorted((built_in.tensors[index].buffer for _, index in _class_inputs(open_entry)), reverse=True)
    if old != [len(model.buffers) - 1, len(model.buffers) - 2]:
        fail("the file", "its class table as the last two buffers", "another order", "Export it again.")
    del model.buffers[-2:]
    _set_entries(model, open_entry, table)
    return _packed(model)


def with_metadata(content: bytes, metadata: bytes, outputs: Sequence[str]) -> bytes:
    """The file of one graph with TFLite metadata for its outputs in this order, its entry called `serving_default`."""
    model = _unpacked(content)
    graph = model.subgraphs[0]
    places = {graph.tensors[index].name.decode(): index for index in graph.outputs}
    graph.outputs = [places[name] for name in outputs]
    model.signatureDefs = [_signature("serving_default", 0, graph)]
    entry = schema.MetadataT()
    entry.name, entry.buffer = b"TFLITE_METADATA", len(model.buffers)
    model.buffers.append(_buffer(metadata))
    model.metadata = [*(model.metadata or []), entry]
    return _packed(model)


def check_single_graph(content: bytes) -> None:
    """Refuse a file with loops or branches.

    Raises:
        NotImplementedError: if it has some.
    """
    if schema.Model.GetRootAs(content, 0).SubgraphsLength() != 1:
        raise NotImplementedError("control flow: its subgraphs would have to be joined as well")


def _unpacked(content: bytes) -> Any:
    """A file as objects that can be changed, its inputs and outputs called as in its only signature."""
    check_single_graph(content)
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for pair in (*model.signatureDefs[0].inputs, *model.signatureDefs[0].outputs):
        model.subgraphs[0].tensors[pair.tensorIndex].name = pair.name
    return model


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(2**20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _joined(model: Any, tail: Any) -> Any:
    """The graph that feeds the model's output into the tail, whose operators and constants join the model's."""
    codes, buffers, graph, added = len(model.operatorCodes), len(model.buffers), model.subgraphs[0], tail.subgraphs[0]
    model.operatorCodes += tail.operatorCodes
    model.buffers += tail.buffers
    (features,) = graph.outputs
    place = {pair.tensorIndex: features for pair in tail.signatureDefs[0].inputs if pair.name == b"features"}
    for index, tensor in enumerate(added.tensors):
        if index in place:
            continue
        tensor.buffer += buffers
        place[index] = len(graph.tensors)
        graph.tensors.append(tensor)
    for operator in added.operators:
        operator.opcodeIndex += codes
        operator.inputs = [place.get(i, -1) for i in operator.inputs]
        operator.outputs = [place[i] for i in operator.outputs]
        graph.operators.append(operator)
    graph.inputs = [*graph.inputs, *(place[i] for i in added.inputs if place[i] != features)]
    graph.outputs = [place[i] for i in added.outputs]
    for pair in tail.signatureDefs[0].outputs:  # the embedding may be the features themselves
        graph.tensors[place[pair.tensorIndex]].name = pair.name
    return graph


def _set_entries(model: Any, open_entry: Any, table: Mapping[str, np.ndarray]) -> None:
    """Both entries: the built-in one is the open one, with constants for class inputs; the file holds the rest once."""
    for part in (*open_entry.tensors, *open_entry.operators):
        part.Pack = functools.cache(part.Pack)
    built_in, inputs = copy.copy(open_entry), dict(_class_inputs(open_entry))
    built_in.tensors = list(open_entry.tensors)
    built_in.inputs = [index for index in open_entry.inputs if index not in inputs.values()]
    for name, index in inputs.items():
        tensor = copy.copy(open_entry.tensors[index])
        del tensor.Pack
        tensor.buffer, tensor.shape, tensor.shapeSignature = len(model.buffers), list(table[name].shape), None
        model.buffers.append(_buffer(table[name].tobytes()))
        built_in.tensors[index] = tensor
    model.subgraphs = [built_in, open_entry]
    keys = ("serving_default", "open_vocabulary")
    model.signatureDefs = [_signature(key, index, model.subgraphs[index]) for index, key in enumerate(keys)]


def _class_inputs(open_entry: Any) -> Iterator[tuple[str, int]]:
    names = {open_entry.tensors[index].name: index for index in open_entry.inputs}
    return ((name, names[name.encode()]) for name in _CLASS_INPUTS)


def _buffer(content: bytes) -> Any:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    return buffer


def _signature(key: str, index: int, graph: Any) -> Any:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = key.encode(), index
    parts = ([_pair(graph, place) for place in places] for places in (graph.inputs, graph.outputs))
    signature.inputs, signature.outputs = parts
    return signature


def _pair(graph: Any, index: int) -> Any:
    pair = schema.TensorMapT()
    pair.name, pair.tensorIndex = graph.tensors[index].name, index
    return pair
