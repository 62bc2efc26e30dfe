"""ConSE: an image's attributes are those of the seen classes that it may be, mixed by how likely they are."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import keras
import numpy as np
from jaxtyping import Float
from scipy.special import softmax
from sklearn.preprocessing import normalize

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
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

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {
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

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range; the discriminant is solved once a shrinkage."""
        statistics = Statistics.of(train, classes)
        known = classes.semantics[statistics.counts > 0]
        heads = {share: softened(statistics, share, 1.0) for share in self.SEARCH["shrinkage"]}
        for values in itertools.product(*self.SEARCH.values()):
            setting = replace(self, **dict(zip(self.SEARCH, values, strict=True)))
            kernel, bias = heads[setting.shrinkage]
            p = softmax((x @ kernel + bias) / setting.temperature, axis=1)
            least = np.sort(p, axis=1)[:, -min(setting.top, len(known))]
            mixed = np.where(p >= least[:, None], p, 0.0) @ known
            yield setting, normalize(mixed) @ normalize(classes.semantics).T
