"""EMA: a moving average of the weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import check_share
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.training.descent import Descent
from zsltf.training.several_sources import averaged, generalizable, mean_risk, train_on_sources

__all__ = ["EMA"]


@dataclass(frozen=True, kw_only=True)
class EMA:
    """ERM, of which an exponential moving average of the weights is kept.

    Source: Polyak & Juditsky, "Acceleration of stochastic approximation by averaging", SIAM 1992.
    """

    decay: float = 0.99
    """Of the average a step, in [0, 1)."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=10))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"decay": (0.9, 0.99, 0.999)}

    def __post_init__(self) -> None:
        check_share("EMA", decay=self.decay)

    def fit(self, domains: Domains, classes: ClassTable, *, network: keras.Model | None = None) -> Classifier:
        """Train on all domains; see GeneralizationMethod."""
        model = generalizable("EMA", domains, classes, network, self.descent)
        means = [keras.Variable(variable.numpy(), trainable=False) for variable in model.trainable_variables]

        def average() -> None:
            for mean, variable in zip(means, model.trainable_variables, strict=True):
                mean.assign(self.decay * mean + (1.0 - self.decay) * variable)

        train_on_sources(model, mean_risk(model), self.descent, domains, own=means, after_step=average)
        return averaged(model, means, domains).classifier(domains.pooled)
