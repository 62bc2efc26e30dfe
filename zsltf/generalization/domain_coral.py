"""CORAL over domains: embeddings whose mean and covariance agree in every pair of domains."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
from keras import ops

from zsltf.checks import check_not_negative
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.losses.covariance_distance import covariance_gap
from zsltf.training.descent import Descent
from zsltf.training.headed_network import labelled_loss
from zsltf.training.several_sources import generalizable, mean_risk, train_on_sources

__all__ = ["DomainCORAL"]


@dataclass(frozen=True, kw_only=True)
class DomainCORAL:
    """The distance between the means and the covariances of every two domains is trained away.

    Source: Sun & Saenko, "Deep CORAL", ECCV workshops 2016; over several sources as in Gulrajani & Lopez-Paz, "In
        search of lost domain generalization", ICLR 2021.
    """

    weight: float = 1.0
    """Of the mean distance over pairs, >= 0; 0 is ERM."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=10))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"weight": (0.1, 1.0, 10.0)}

    def __post_init__(self) -> None:
        check_not_negative("DomainCORAL", weight=self.weight)
        if self.weight:
            self.descent.check_compares("DomainCORAL")

    def fit(self, domains: Domains, classes: ClassTable, *, network: keras.Model | None = None) -> Classifier:
        """Train on all domains; see GeneralizationMethod."""
        model = generalizable("DomainCORAL", domains, classes, network, self.descent)

        def risk(batches: Sequence[Any], _: Any) -> Any:
            found = [model.scores(x) for x, _, _ in batches]
            losses = [labelled_loss(scores, y, w) for (_, scores), (_, y, w) in zip(found, batches, strict=True)]
            pairs = list(itertools.combinations([embeddings for embeddings, _ in found], 2))
            apart = sum(moment_distance(one, other) for one, other in pairs) / len(pairs)
            return sum(losses) / len(losses) + self.weight * apart

        train_on_sources(model, risk if self.weight else mean_risk(model), self.descent, domains)
        return model.classifier(domains.pooled)


def moment_distance(one: Any, other: Any) -> Any:
    """Mean squared differences of the means and of the covariances of two sets of vectors (B, K)."""
    means = ops.mean((ops.mean(one, axis=0) - ops.mean(other, axis=0)) ** 2)
    return means + covariance_gap(one, other) / one.shape[-1] ** 2
