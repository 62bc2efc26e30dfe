"""Sub-unit decoding: a classifier for each slot's unit, and the word whose units they predict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from jaxtyping import Float
from keras import layers

from zsltf.checks import check_positive, fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.block_log_softmax import BlockLogSoftmax
from zsltf.layers.centre import centring
from zsltf.losses.own_score import OwnScore
from zsltf.similarities.dot import Dot
from zsltf.similarities.log_sum_exp import LogSumExp
from zsltf.training.compatibility import CompatibilityMethod, Parts, glorot
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation

__all__ = ["Lexicon"]


@dataclass(frozen=True, kw_only=True)
class Lexicon(CompatibilityMethod):
    """A class is a sequence of units, such as a word of phonemes: log P(word | x) = sum over slots of log P(unit | x).

    The class table is a `data.words.word_table`, or any whose blocks hold a 1 for one of several units. With several
    realisations of a word, their probabilities are added up, and which of them an image shows need not be known. A new
    word is a new row.

    Source: Palatucci, Pomerleau, Hinton & Mitchell, "Zero-shot learning with semantic output codes", NeurIPS 2009; the
    product of posteriors over priors is that of Lampert, Nickisch & Harmeling, TPAMI 2014.
    """

    variants: int = 1
    """Realisations that the table has room for, >= 1."""
    hidden: int = 0
    """Units of a hidden layer between the features and the slots; 0 is without."""
    prior: bool = True
    """Divide each unit's probability by how often the seen words have it in its slot: other words may have others."""
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=1e-2))

    PREPARATIONS: ClassVar[Sequence[Preparation]] = (Preparation(), Preparation(centre=True, unit_norm=True))
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((1e-2,), (1e-5, 1e-4, 1e-3), (10, 30))}

    def __post_init__(self) -> None:
        check_positive("Lexicon", variants=self.variants)
        if self.hidden < 0:
            fail("Lexicon.hidden", "0 or more units", str(self.hidden), "Start from the default.")

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = log P(unit | x) - log prior, B = 1 for the word's units, a row a realisation."""
        train.check_vectors("Lexicon")
        _check_units(classes)
        slots, odd = divmod(len(classes.blocks), self.variants)
        if odd or classes.blocks != classes.blocks[:slots] * self.variants:
            expected = f"a table of {self.variants} realisations with the same slots"
            fail("Lexicon.variants", expected, f"blocks {classes.blocks}", "Give the table's number of variants.")
        train.check_seen(classes)  # the prior is counted on its images
        widths = classes.blocks[:slots]
        network = [layers.Dense(sum(widths), kernel_initializer=glorot(self.descent)), BlockLogSoftmax(widths)]
        if self.hidden:
            network.insert(0, layers.Dense(self.hidden, "relu", kernel_initializer=glorot(self.descent, 1)))
        if self.prior:
            network.append(centring(self._log_prior(train, classes, widths)))
        shape = (self.variants, sum(widths))
        several = keras.Sequential([keras.Input((len(classes.columns),)), layers.Reshape(shape)], name="project")
        return Parts(
            embed=keras.Sequential([keras.Input((train.x.shape[1],)), *network], name="embed"),
            project=several if self.variants > 1 else None,
            similarity=LogSumExp(name="log_sum_exp") if self.variants > 1 else Dot(name="dot"),
            loss=OwnScore(),
        )

    def _log_prior(self, train: Features, classes: ClassTable, widths: Sequence[int]) -> Float[np.ndarray, " K"]:
        """Of each slot's units over the images, with half an image more of each."""
        rows = classes.semantics[train.y].reshape(len(train), self.variants, sum(widths)).astype(np.float64)
        there = rows.any(axis=2, keepdims=True)
        units = rows.sum(axis=1) / there.sum(axis=1)
        return np.log((train.weights @ units + 0.5) / (train.weights.sum() + 0.5 * np.repeat(widths, widths)))


def _check_units(classes: ClassTable) -> None:
    starts = np.cumsum((0, *classes.blocks[:-1]))
    ones = np.add.reduceat(classes.semantics, starts, axis=1)  # (C, blocks)
    if not np.isin(classes.semantics, (0, 1)).all() or (ones > 1).any():
        received = "other semantics, such as attributes"
        fix = "Words go through zsltf run lexicon; in Python data.words.word_table makes their table."
        fail("Lexicon", "words: blocks with a 1 for one of several units", received, fix)
