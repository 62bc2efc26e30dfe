"""Attention over class descriptions: what of a class's sentences counts depends on the image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from keras import layers

from zsltf.checks import check_positive, check_share, fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.similarities.cross_attention import CrossAttention
from zsltf.training.compatibility import CompatibilityMethod, Parts, glorot
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation

__all__ = ["DescriptionAttention"]


@dataclass(frozen=True, kw_only=True)
class DescriptionAttention(CompatibilityMethod):
    """Multi-head attention of an image over its class's sentences; the cosine with what it finds there is the score.

    The class table is a `data.descriptions.description_table`, or any whose blocks are equally wide: each block is a
    sentence, and one of zeros is none. Queries start at zero, so training starts from the mean of a class's sentences;
    features and sentences are brought to entries of about 1, or the attention would hardly move from there.

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017 (attention); Naeem, Khan, Xian, Afzal, Stricker,
    Van Gool & Tombari, "I2DFormer: learning image to document attention for zero-shot image classification", NeurIPS
    2022 (over what is written of a class), here from a frozen backbone's pooled features and frozen sentences.
    """

    width: int = 256
    """Of queries, keys and values over all heads, >= 1."""
    heads: int = 4
    """They divide the width."""
    attend: bool = True
    """False gives all of a class's sentences the same weight: their mean, for comparison."""
    scale: float = 20.0
    """Of the cosine, > 0."""
    dropout: float = 0.2
    """Share of the entries of features and sentences that a step leaves out, in [0, 1)."""
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=1e-3))

    SENTENCES_APART: ClassVar[bool] = True
    PREPARATIONS: ClassVar[Sequence[Preparation]] = (
        Preparation(centre=True, components=256, unit_norm=True),
        Preparation(centre=True, unit_norm=True),
    )
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((1e-3,), (1e-5, 1e-3), (5, 15, 30))}

    def __post_init__(self) -> None:
        check_positive("DescriptionAttention", width=self.width, heads=self.heads, scale=self.scale)
        check_share("DescriptionAttention", dropout=self.dropout)
        if self.width % self.heads:
            received = f"{self.heads} of {self.width}"
            fail("DescriptionAttention.heads", "a divisor of the width", received, "Start from the defaults.")

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = [query, image], B = keys and values, a row a sentence."""
        train.check_vectors("DescriptionAttention")
        length = classes.blocks[0]
        if set(classes.blocks) != {length}:
            received = f"blocks {classes.blocks[:5]}"
            fail("classes", "sentences: blocks of one width", received, "Make them with data.descriptions.")
        x = keras.Input((train.x.shape[1],))
        entries = self._entries(x, x.shape[-1], 0)
        query = layers.Dense(
            self.width, use_bias=False, kernel_initializer="zeros", trainable=self.attend, name="query"
        )
        image = layers.Dense(self.width, use_bias=False, kernel_initializer=glorot(self.descent, 1), name="image")
        table = keras.Input((len(classes.columns),))
        sentences = self._entries(layers.Reshape((len(classes.blocks), length))(table), length, 1)
        to_both = layers.Dense(
            2 * self.width, use_bias=False, kernel_initializer=glorot(self.descent, 2), name="keys_values"
        )
        return Parts(
            embed=keras.Model(x, layers.Concatenate()([query(entries), image(entries)]), name="embed"),
            project=keras.Model(table, to_both(sentences), name="project"),
            similarity=CrossAttention(self.heads, scale=self.scale, name="cross_attention"),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def _entries(self, rows: Any, width: int, draw: int) -> Any:
        """Rows with entries of about 1; one of zeros stays so. A step leaves the same ones out of all rows."""
        seed = int(np.random.SeedSequence([self.descent.seed, 10 + draw]).generate_state(1)[0])
        unit = layers.Rescaling(width**0.5)(layers.UnitNormalization()(rows))
        shared = (*(1 for _ in rows.shape[:-1]), width)
        return layers.Dropout(self.dropout, shared, seed)(unit)
