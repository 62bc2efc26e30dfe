"""Sentence embeddings by a text model of KerasHub: BERT, CLIP's text tower (extra: zsltf[keras-hub])."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_positive, check_sentences, fail

__all__ = ["KerasHubText"]


@dataclass(frozen=True, kw_only=True)
class KerasHubText:
    """Vectors of norm 1: the mean of a transformer's token vectors, or what CLIP compares with images.

    Source: Reimers & Gurevych, "Sentence-BERT: sentence embeddings using siamese BERT-networks", EMNLP 2019 (the mean
    says more than the first token does); Radford et al., "Learning transferable visual models from natural language
    supervision", ICML 2021 (CLIP).
    """

    preset: str
    """A preset's name ("bert_base_en_uncased", "clip_vit_base_patch16", "hf://...") or its folder."""
    max_tokens: int = 64
    """A sentence's further tokens are cut off; the model may take fewer."""

    def __post_init__(self) -> None:
        check_positive("KerasHubText", max_tokens=self.max_tokens)

    def encode(self, sentences: Sequence[str], batch_size: int = 64) -> Float[np.ndarray, "N D"]:
        """Sentences to rows of norm 1.

        Raises:
            ImportError: without zsltf[keras-hub].
            ValueError: if there is no such preset, it is not of text, or a sentence is empty.
        """
        check_sentences(sentences)
        parts = (list(sentences[i : i + batch_size]) for i in range(0, len(sentences), batch_size))
        rows = np.concatenate([np.asarray(self._embed(part)) for part in parts])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    @cached_property
    def _embed(self) -> Callable[[list[str]], Any]:
        from zsltf.layers.keras_hub import import_keras_hub

        library = import_keras_hub()
        try:
            model = library.models.Backbone.from_preset(self.preset)
            tokenizer = library.models.Tokenizer.from_preset(self.preset)
        except Exception as error:  # noqa: BLE001 (from a wrong name to a failed download)
            reason = str(error).partition("\n")[0][:300]
            fix = (
                "Check the name; offline, save_to_preset(FOLDER) of model and tokenizer elsewhere, and give the FOLDER."
            )
            fail("KerasHubText", "a preset of KerasHub with a tokenizer", f"'{self.preset}' ({reason})", fix)
        if hasattr(model, "get_text_embeddings"):
            return self._clip(library, model, tokenizer)
        if not {"token_ids", "padding_mask"} <= set(getattr(model, "input", {})):
            fail("KerasHubText", "a preset of text", type(model).__name__, "Give that of BERT, or of CLIP.")
        return self._transformer(library, model)

    def _clip(self, library: Any, model: Any, tokenizer: Any) -> Callable[[list[str]], Any]:
        pack = library.layers.StartEndPacker(
            sequence_length=min(self.max_tokens, model.text_encoder.max_sequence_length),
            start_value=tokenizer.start_token_id,
            end_value=tokenizer.end_token_id,
            pad_value=tokenizer.pad_token_id,
        )
        return lambda sentences: model.get_text_embeddings(pack(tokenizer([s.lower() for s in sentences])))

    def _transformer(self, library: Any, model: Any) -> Callable[[list[str]], Any]:
        import tensorflow as tf

        length = min(self.max_tokens, getattr(model, "max_sequence_length", None) or self.max_tokens)
        prepare = library.models.TextClassifierPreprocessor.from_preset(self.preset, sequence_length=length)

        def embed(sentences: list[str]) -> Any:
            inputs = prepare(sentences)
            outputs = model({name: inputs[name] for name in model.input})
            vectors = outputs["sequence_output"] if isinstance(outputs, dict) else outputs
            mask = tf.cast(inputs["padding_mask"], vectors.dtype)[..., None]
            return tf.reduce_sum(vectors * mask, axis=1) / tf.reduce_sum(mask, axis=1)

        return embed
