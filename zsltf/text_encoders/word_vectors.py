"""Class names and sentences by the word vectors of a GloVe or word2vec file."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_sentences, fail
from zsltf.data.word_vectors import name_vectors

__all__ = ["WordVectors"]


@dataclass(frozen=True, kw_only=True)
class WordVectors:
    """Mean of a name's word vectors, of norm 1; a name that the file has in one, such as killer_whale, is that vector.

    Source: Frome et al., "DeViSE: a deep visual-semantic embedding model", NeurIPS 2013 (names of classes by word2vec).
    """

    path: Path
    """Lines of a word and its numbers, as GloVe's; or word2vec's, in text or .bin. It may be compressed by gzip."""

    TEMPLATES: ClassVar[tuple[str, ...]] = ("{}",)
    """The name alone: the words around it would be averaged, too."""

    def encode(self, sentences: Sequence[str]) -> Float[np.ndarray, "N D"]:
        """Sentences to rows of norm 1.

        Raises:
            ValueError: naming every word that the file lacks, or if a sentence is empty.
        """
        check_sentences(sentences)
        unknown = [sentence for sentence in dict.fromkeys(sentences) if sentence not in self._known]
        if unknown:
            self._known.update(zip(unknown, name_vectors(self.path, unknown), strict=True))
        rows = np.array([self._known[sentence] for sentence in sentences])
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not norms.all():
            received = f"zeros for {sentences[int(norms.argmin())]!r}"
            fail(str(self.path), "a vector for every word", received, "Take another file.")
        return rows / norms

    @cached_property
    def _known(self) -> dict[str, Float[np.ndarray, " D"]]:
        """What was read already, for the file is big."""
        return {}
