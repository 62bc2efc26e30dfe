"""Sentence embeddings by a SavedModel, from TensorFlow Hub or from disk."""

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_sentences, fail
from zsltf.pretrained.hub_folder import hub_folder

__all__ = ["HubText"]


@dataclass(frozen=True, kw_only=True)
class HubText:
    """What a SavedModel makes of strings, of norm 1; token vectors are averaged.

    A SavedModel is a program that runs with your rights: take it from where you trust. It encodes while classes are
    made, and no exported file holds it.
    """

    model: str
    """Folder or handle (https://...) of a SavedModel from strings (B,), or from what the preprocessor gives, to (B, D),
    such as the Universal Sentence Encoder."""
    preprocessor: str | None = None
    """Folder or handle of the SavedModel that a transformer's page names for its inputs."""
    output: str | None = None
    """Which output, of several; by default token vectors (`sequence_output`), whose mean over words is taken."""

    def encode(self, sentences: Sequence[str], batch_size: int = 64) -> Float[np.ndarray, "N D"]:
        """Sentences to rows of norm 1.

        Raises:
            ValueError: if there is no such SavedModel, it takes or gives something else, or a sentence is empty.
        """
        check_sentences(sentences)
        return np.concatenate(
            [self._encode(sentences[i : i + batch_size]) for i in range(0, len(sentences), batch_size)]
        )

    def _encode(self, sentences: Sequence[str]) -> Float[np.ndarray, "N D"]:
        import tensorflow as tf

        *before, model = map(_callable, self._modules)
        inputs = tf.constant(list(sentences))
        for prepare in before:
            inputs = prepare(inputs)
        vectors = self._chosen(model(inputs))
        if len(vectors.shape) == 3:
            mask = tf.cast(inputs["input_mask"], vectors.dtype)[..., None]
            vectors = tf.reduce_sum(vectors * mask, axis=1) / tf.reduce_sum(mask, axis=1)
        if len(vectors.shape) != 2:
            fail("HubText", "a SavedModel that gives (batch, D)", str(vectors.shape), "Choose another output.")
        return np.asarray(tf.math.l2_normalize(vectors, axis=1))

    def _chosen(self, outputs: Any) -> Any:
        if not isinstance(outputs, dict):
            return outputs
        name = self.output or next((n for n in ("sequence_output", "default", "outputs") if n in outputs), None)
        if name is None and len(outputs) == 1:
            name = next(iter(outputs))
        if name not in outputs:
            fail("HubText.output", f"one of {', '.join(sorted(outputs))}", str(name), "Choose one of them.")
        return outputs[name]

    @cached_property
    def _modules(self) -> list[Any]:
        """The preprocessor, if there is one, and the model; their variables live as long as they do."""
        import tensorflow as tf

        if importlib.util.find_spec("tensorflow_text"):
            importlib.import_module("tensorflow_text")  # registers the operations of many tokenizers
        return [tf.saved_model.load(str(hub_folder(name))) for name in (self.preprocessor, self.model) if name]


def _callable(loaded: Any) -> Callable[[Any], Any]:
    if callable(loaded):
        return loaded
    signature = loaded.signatures.get("serving_default")
    if signature is None or len(signature.structured_input_signature[1]) != 1:
        fail("HubText", "a SavedModel that can be called, or has serving_default of one input", "none", "Export one.")
    (name,) = signature.structured_input_signature[1]
    return lambda inputs: signature(**{name: inputs})
