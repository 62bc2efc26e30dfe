"""IAP: an image's attributes by way of the seen classes that it may be."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import keras
import numpy as np
from jaxtyping import Float
from scipy.special import softmax

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.layers.log_odds import LogOdds
from zsltf.solvers.discriminant import softened
from zsltf.solvers.statistics import Statistics
from zsltf.solvers.unit_range import unit_range

__all__ = ["IAP"]

_MARGIN = 1e-3


@dataclass(frozen=True, kw_only=True)
class IAP:
    """Indirect attribute prediction: p(a | x) = sum over seen classes of p(a | class) p(class | x), then as DAP.

    The posterior is that of linear discriminant analysis; attributes are brought to [0, 1] by the seen classes.

    Source: Lampert, Nickisch & Harmeling, "Attribute-based classification for zero-shot visual object categorization",
    TPAMI 2014.
    """

    temperature: float = 0.5
    """Of the posterior, > 0, in standard deviations of the discriminant's scores: larger mixes more evenly."""
    shrinkage: float = 0.1
    """Of the discriminant's covariance, in (0, 1]; see LinearDiscriminant."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {
        "temperature": (0.03, 0.1, 0.25, 0.5, 1.0),
        "shrinkage": (0.03, 0.1, 0.3),
    }

    def __post_init__(self) -> None:
        check_positive("IAP", temperature=self.temperature, shrinkage=self.shrinkage)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Fit the discriminant on the seen classes."""
        return self.solve(Statistics.of(train, classes), classes)

    def solve(self, statistics: Statistics, classes: ClassTable) -> Classifier:
        """The same from one pass over the features."""
        scores = linear(*softened(statistics, self.shrinkage, self.temperature))
        known = classes.semantics[statistics.counts > 0]
        scale, offset = unit_range(known)
        attributes = known * scale + offset
        prior = np.clip(attributes.mean(axis=0), 0.01, 0.99)
        layers = (
            keras.layers.Softmax(),
            *linear(attributes, name="attributes").layers,
            LogOdds(prior.tolist(), margin=_MARGIN),
        )
        embed = keras.Sequential([*scores.layers, *layers], name="embed")
        embed.build(scores.input_shape)
        project = keras.layers.Rescaling(scale.tolist(), offset.tolist())
        return Classifier(
            embed, classes, project=keras.Sequential([keras.Input((len(classes.columns),)), project], name="project")
        )

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range; the discriminant is solved once a shrinkage."""
        statistics = Statistics.of(train, classes)
        known = statistics.counts > 0
        scale, offset = unit_range(classes.semantics[known])
        attributes = classes.semantics * scale + offset
        log_odds = LogOdds(np.clip(attributes[known].mean(axis=0), 0.01, 0.99).tolist(), margin=_MARGIN)
        heads = {share: softened(statistics, share, 1.0) for share in self.SEARCH["shrinkage"]}
        for temperature, share in itertools.product(self.SEARCH["temperature"], self.SEARCH["shrinkage"]):
            kernel, bias = heads[share]
            p = softmax((x @ kernel + bias) / temperature, axis=1) @ attributes[known]
            yield replace(self, temperature=temperature, shrinkage=share), np.asarray(log_odds(p)) @ attributes.T
