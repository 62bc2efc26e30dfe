"""model.json: what the web page is told of a model, in a folder and by the server."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float

from zsltf.artifacts.card import Card
from zsltf.evaluation.attribute_view import named_columns

__all__ = ["model_json"]

_FORMAT = 1
"""The page refuses others: raise it with every change that an older page would misread."""


def model_json(
    name: str,
    runtime: str,
    card: Card,
    class_vectors: Float[np.ndarray, "C *K"],
    class_bias: Float[np.ndarray, " C"],
    *,
    files: Mapping[str, str | None] | None = None,
    runtime_files: Mapping[str, str] | None = None,
    sentences: bool = False,
) -> str:
    """As JSON.

    Args:
        name: that people read, and that the server knows the model by.
        runtime: onnxruntime-web, litert or server.
        card: of the model's file.
        class_vectors: its table.
        class_bias: one number a class.
        files: network, project and compare -> names of files beside this one.
        runtime_files: module and wasm -> addresses, seen from this one.
        sentences: whether the server makes semantics of sentences for this model.
    """
    content = {
        "format": _FORMAT,
        "name": name,
        "runtime": runtime,
        "card": asdict(card),
        "named_columns": named_columns(card.classes) if card.columns else [],
        "class_vectors": _packed(class_vectors),
        "class_bias": _packed(class_bias),
        "files": files or {},
        "runtime_files": runtime_files or {},
        "sentences": sentences,
    }
    return json.dumps(content, allow_nan=False)


def _packed(numbers: np.ndarray) -> dict[str, Any]:
    """Shape, and base64 of little-endian float32."""
    content = np.ascontiguousarray(numbers, "<f4").tobytes()
    return {"shape": numbers.shape, "data": base64.b64encode(content).decode("ascii")}
