"""SWAD: the mean of the weights over a flat minimum of the validation loss."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from sklearn.model_selection import train_test_split

from zsltf.checks import check_share, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.training.descent import Descent
from zsltf.training.headed_network import HeadedNetwork, labelled_loss, labelled_set
from zsltf.training.several_sources import averaged, generalizable, mean_risk, train_on_sources
from zsltf.training.weight_average import FlatAverage, RunningMean, Stretch

__all__ = ["SWAD"]

_FIX = "Choose a share nearer to a half, give more examples, or take ERM or EMA."


@dataclass(frozen=True, kw_only=True)
class SWAD:
    """ERM, whose weights are averaged over every step from where the validation loss stops falling to where it rises.

    Validation images are a share of every domain, and an epoch is what the paper calls an interval.

    Source: Cha, Chun, Lee, Cho, Park, Lee & Park, "SWAD: domain generalization by seeking flat minima", NeurIPS 2021.
    """

    validation: float = 0.2
    """Share of each domain that is held out, in (0, 1)."""
    average: FlatAverage = field(default_factory=FlatAverage)
    descent: Descent = field(default_factory=lambda: Descent(epochs=20))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {}

    def __post_init__(self) -> None:
        check_share("SWAD", validation=self.validation)
        if not self.validation:
            fail("SWAD.validation", "a share above 0", "0", "Start from the default.")

    def fit(self, domains: Domains, classes: ClassTable, *, network: keras.Model | None = None) -> Classifier:
        """Train on a part of all domains, and average by the rest; see GeneralizationMethod."""
        kept, held = self.parts(domains)
        model = generalizable("SWAD", kept, classes, network, self.descent)
        mean = RunningMean(model.trainable_variables)
        stretches: list[Stretch] = []

        def validate(_: int) -> None:
            weights, steps = mean.take()
            stretches.append(Stretch(mean=weights, steps=steps, loss=validation_loss(model, held)))

        train_on_sources(model, mean_risk(model), self.descent, kept, after_step=mean.update, after_epoch=validate)
        return averaged(model, self.average.of(stretches), kept).classifier(domains.pooled)

    def parts(self, domains: Domains) -> tuple[Domains, Domains]:
        """What is trained on, and what validates, of every class in every domain."""
        kept, held = {}, {}
        for name, every in domains.parts.items():
            part = every.counted()
            fewest = int(np.bincount(part.y)[np.unique(part.y)].min())
            if fewest < 2:
                fail("SWAD", f"two examples or more of each class in {name}", str(fewest), _FIX)
            held_out, count = math.ceil(self.validation * len(part)), len(np.unique(part.y))
            if min(held_out, len(part) - held_out) < count:
                told = f"{held_out} of {len(part)}"
                fail("SWAD.validation", f"an example of each of {count} classes in both shares of {name}", told, _FIX)
            rows = train_test_split(
                np.arange(len(part)), test_size=self.validation, stratify=part.y, random_state=self.descent.seed
            )
            kept[name], held[name] = (part.select(np.sort(some)) for some in rows)
        return Domains(parts=kept), Domains(parts=held)


def validation_loss(model: HeadedNetwork, held: Domains) -> float:
    """Mean over domains of the cross-entropy, in nats, as in use."""
    parts = (labelled_set(part) for part in held.parts.values())
    return float(np.mean([labelled_loss(model.head(model.embed(x)), y, weights) for x, y, weights in parts]))
