"""tf.functions to ONNX graphs, with names and dimensions that stay."""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

import tf2onnx

from zsltf.exporters._onnx_ops import HANDLERS

__all__ = ["convert"]


def convert(function: Any, opset: int, batch: int | None = None) -> Any:
    """One tf.function to a model.

    Args:
        function: with named inputs, and outputs by name.
        opset: of ONNX.
        batch: images a call; None for any number.
    """
    with _quiet("tf2onnx", "TF2ONNX_CATCH_ERRORS"):
        model, _ = tf2onnx.convert.from_function(
            function, input_signature=function.input_signature, opset=opset, custom_op_handlers=dict(HANDLERS)
        )
    outputs = sorted(function.get_concrete_function().structured_outputs)
    _rename(model, [spec.name for spec in function.input_signature], outputs, batch)
    return model


def _rename(model: Any, inputs: list[str], outputs: list[str], batch: int | None) -> None:
    """Stable names and dimensions, in place of the converter's numbers."""
    graph = model.graph
    new = dict(zip((value.name for value in graph.input), inputs, strict=True))
    new |= dict(zip((value.name for value in graph.output), outputs, strict=True))
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for value in (*graph.input, *graph.output):
        value.name = new[value.name]
        _name_dimensions(value, batch)


def _name_dimensions(value: Any, batch: int | None) -> None:
    dimensions = {
        "images": ("batch", "height", "width"),
        "class_vectors": ("classes",),
        "class_bias": ("classes",),
        "semantics": ("classes",),
        "scores": ("batch", "classes"),
        "probabilities": ("batch", "classes"),
        "embedding": ("batch",),
        "tap": ("batch",),
    }[value.name]
    for dimension, name in zip(value.type.tensor_type.shape.dim, dimensions, strict=False):
        if name == "batch" and batch is not None:
            dimension.dim_value = batch
        else:
            dimension.dim_param = name


@contextlib.contextmanager
def _quiet(logger: str, variable: str) -> Iterator[None]:
    """Warnings of the converter only where they are errors; no copy of the graph at each of its passes."""
    log, level, before = logging.getLogger(logger), logging.getLogger(logger).level, os.environ.get(variable)
    log.setLevel(logging.ERROR)
    os.environ[variable] = "FALSE"
    try:
        yield
    finally:
        log.setLevel(level)
        os.environ.pop(variable) if before is None else os.environ.__setitem__(variable, before)
