"""Results of Classify and Regress in REST's JSON."""

import json

import numpy as np

from zsltf.serving import inference
from zsltf.serving.json_values import joined, number_texts
from zsltf.serving.servable import Tensors

__all__ = ["write_classified", "write_regressed"]


def write_regressed(outputs: Tensors, count: int) -> bytes:
    """The answer's document: a number an example."""
    return _document(number_texts(np.array(inference.regressed(outputs, count), np.float32)))


def write_classified(outputs: Tensors, count: int) -> bytes:
    """The answer's document: pairs of label and score for each example."""
    rows = []
    for row in inference.classified(outputs, count):
        scores = number_texts(np.array([score for _, score in row], np.float32))
        labels = (json.dumps(label, ensure_ascii=False) for label, _ in row)
        rows.append(joined(f"[{label}, {score}]" for label, score in zip(labels, scores, strict=True)))
    return _document(rows)


def _document(results: list[str]) -> bytes:
    return f'{{\n    "results": {joined(results)}\n}}'.encode("utf-8", "surrogateescape")
