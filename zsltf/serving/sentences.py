"""Sentences as the semantics of classes, for models whose semantics are vectors of the same text encoder."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from zsltf.checks import fail
from zsltf.data.descriptions import count_descriptions
from zsltf.data.text_semantics import TextSemantics, is_text

__all__ = ["Sentences"]

_LONGEST = 2000  # characters
_AS_IT_IS = TextSemantics(templates=("{}",))


class Sentences:
    """A text encoder, tried once: what it lacks is told at once.

    Args:
        encoder: of text_encoders.
    """

    def __init__(self, encoder: Any) -> None:
        self._encoder, self._one_by_one = encoder, threading.Lock()
        self._length = encoder.encode(["a photo"]).shape[1]

    def fit(self, columns: Sequence[str]) -> bool:
        """Whether a model's semantics may be of this encoder: they are of text, and vectors have that length."""
        room = count_descriptions(columns) or 1
        return bool(columns) and all(map(is_text, columns)) and len(columns) == room * self._length

    def semantics(self, sentence: str, columns: Sequence[str]) -> Float[np.ndarray, " A"]:
        """Those of a class of which the sentence is said.

        Raises:
            ValueError: if it says nothing or too much, or the columns are others.
        """
        words = " ".join(sentence.split())
        if not 0 < len(words) <= _LONGEST:
            fail("sentence", f"1 to {_LONGEST} characters", str(len(words)), "Say what the class looks like.")
        if not self.fit(columns):
            received = f"one with {len(columns)} columns of semantics"
            fail("model", f"one whose semantics are text vectors of length {self._length}", received, "Add attributes.")
        with self._one_by_one:
            row: np.ndarray = _AS_IT_IS.new_classes((words,), self._encoder.encode, columns).semantics[0]
        return row
