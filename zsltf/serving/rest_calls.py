"""What REST's POSTs ask for, from the body to the answer's document."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from zsltf.serving import examples, inference
from zsltf.serving.json_inputs import read_inputs, signature_name
from zsltf.serving.json_outputs import write_outputs
from zsltf.serving.json_parsing import parse
from zsltf.serving.json_results import write_classified, write_regressed
from zsltf.serving.json_values import invalid
from zsltf.serving.metrics import Metrics, counted_run
from zsltf.serving.models import Models
from zsltf.serving.servable import Tensors

__all__ = ["Chosen", "on_examples", "predict"]

T = TypeVar("T")
Chosen: TypeAlias = tuple[str, int | None, str | None]
"""Model, version and label."""
_SMALL = 2**14
"""Bytes of JSON that are read or written at once."""


async def predict(models: Models, metrics: Metrics | None, chosen: Chosen, body: bytes) -> bytes:
    """Predict.

    Raises:
        RequestError: for what is asked wrongly, or the runtime refuses.
    """
    document, signature = await _apart(len(body), _document, body)
    version = models.version(*chosen)
    with version.used() as servable:
        if signature not in servable.signatures:
            raise invalid(f'Serving signature name: "{signature}" not found in signature def')
        definition = servable.signatures[signature]
        if not definition.inputs:
            raise invalid(f"Failed to get input map for signature: {signature}")
        inputs, by_rows = await _apart(len(body), read_inputs, document, definition)
        given = (version, signature, inputs, list(definition.outputs))
        outputs = await counted_run(models, metrics, "Predict", chosen[0], *given)
    return await _apart(_size(outputs), write_outputs, outputs, by_rows)


async def on_examples(models: Models, metrics: Metrics | None, chosen: Chosen, body: bytes, *, regress: bool) -> bytes:
    """Classify or Regress.

    Raises:
        RequestError: for what is asked wrongly, or the runtime refuses.
    """
    document, signature = await _apart(len(body), _document, body)
    given = await _apart(len(body), examples.of_json, document)
    version = models.version(*chosen)
    with version.used() as servable:
        definition = inference.example_signature(servable, signature, regress=regress)
        wanted, call = list(definition.outputs), "Regress" if regress else "Classify"
        outputs = await counted_run(models, metrics, call, chosen[0], version, signature, {"inputs": given}, wanted)
    return await _apart(_size(outputs), write_regressed if regress else write_classified, outputs, len(given))


def _document(body: bytes) -> tuple[Any, str]:
    """With the signature that it names."""
    document = parse(body)
    return document, signature_name(document)


def _size(outputs: Tensors) -> int:
    """Bytes that they may take as JSON."""
    return 8 * sum(value.size for value in outputs.values())


async def _apart(size: int, work: Callable[..., T], *given: Any) -> T:
    """In a thread, so that others needn't wait; what is small costs less than a thread does."""
    return work(*given) if size < _SMALL else await asyncio.to_thread(work, *given)
