"""ConSE: an image's attributes are those of the seen classes that it may be, mixed by how likely they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import keras

from zsltf.checks import check_positive
from zsltf.classifier import Classifier, linear
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.top_shares import TopShares
from zsltf.similarities.cosine import Cosine
from zsltf.solvers.discriminant import softened
from zsltf.solvers.statistics import Statistics

__all__ = ["ConSE"]


@dataclass(frozen=True, kw_only=True)
class ConSE:
    """Convex combination of the seen classes' semantics, compared by the cosine.

    The posterior is that of linear discriminant analysis. It trains nothing else, so it turns any classifier into a
    zero-shot one.

    Source: Norouzi et al., "Zero-shot learning by convex combination of semantic embeddings", ICLR 2014.
    """

    top: int = 10
    """Likeliest seen classes in the mixture, >= 1."""
    temperature: float = 0.5
    """Of the posterior, > 0, in standard deviations of the discriminant's scores: larger mixes more evenly."""
    shrinkage: float = 0.1
    """Of the discriminant's covariance, in (0, 1]; see LinearDiscriminant."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {
        "top": (1, 5, 10, 10_000),
        "temperature": (0.03, 0.1, 0.25, 0.5, 1.0),
        "shrinkage": (0.03, 0.3),
    }

    def __post_init__(self) -> None:
        check_positive("ConSE", top=self.top, temperature=self.temperature, shrinkage=self.shrinkage)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Fit the discriminant on the seen classes."""
        return self.solve(Statistics.of(train, classes), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        scores = linear(*softened(statistics, self.shrinkage, self.temperature))
        known = classes.semantics[statistics.counts > 0]
        layers = keras.layers.Softmax(), TopShares(self.top), *linear(known, name="semantics").layers
        embed = keras.Sequential([*scores.layers, *layers], name="embed")
        embed.build(scores.input_shape)
        return Classifier(embed, classes, similarity=Cosine(name="cosine"))
