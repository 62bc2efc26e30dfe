"""The class table of an ONNX file: defaults of two inputs, which a caller may override."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.artifacts.card import Card
from zsltf.checks import fail

__all__ = ["TABLE", "read_table", "set_table", "write_open_variant"]

TABLE = ("class_vectors", "class_bias")
"""Names of the inputs."""


def set_table(model: Any, table: Mapping[str, np.ndarray], card: Card) -> None:
    """Put in the table and its card, for those that were there."""
    import onnx
    from onnx import numpy_helper

    _drop_table(model)
    model.graph.initializer.extend(numpy_helper.from_array(table[name], name) for name in TABLE)
    properties = {"zsltf": card.to_json(), "classes": json.dumps(card.names)}
    preprocessing = {name: getattr(card, name) for name in ("size", "resize", "mean", "scale", "channels")}
    properties |= {"preprocessing": json.dumps(preprocessing), "versions": json.dumps({"zsltf": card.zsltf})}
    onnx.helper.set_model_props(model, properties)


def read_table(path: Path) -> tuple[Card, dict[str, np.ndarray]]:
    """The card and the class table of a file.

    Raises:
        ValueError: if there is no file, or one without them.
    """
    import onnx
    from onnx import numpy_helper

    if not path.is_file():
        fail(str(path), "the ONNX file with the class table", "none", "Keep the files of an export together.")
    model = onnx.load(path)
    card = next((entry.value for entry in model.metadata_props if entry.key == "zsltf"), None)
    if card is None:
        fail(str(path), "an ONNX file that zsltf wrote", "one without its card", "Export it with zsltf export.")
    named = (tensor for tensor in model.graph.initializer if tensor.name in TABLE)
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in named}
    if len(found) < len(TABLE):
        fail(str(path), "the class table as defaults of two inputs", "none", "Export it again.")
    return Card.from_json(card, str(path)), found


def write_open_variant(path: Path, to: Path) -> None:
    """The file at `path` with its class inputs required, for runtimes that don't override a default.

    It names no classes: the caller's table does, which may be another one by then.
    """
    import onnx

    model = onnx.load(path)
    _drop_table(model)
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key in ("preprocessing", "versions")}
    onnx.helper.set_model_props(model, kept)
    to.write_bytes(model.SerializeToString())


def _drop_table(model: Any) -> None:
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in TABLE]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
