"""What a training of a backbone's last stages takes, and what it gives."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_positive
from zsltf.training.weight_average import FlatAverage, Weights

__all__ = ["CosineHead", "StageSettings", "Tuned"]


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """Adam on batches with as many images of each domain.

    Source: Gulrajani & Lopez-Paz, "In search of lost domain generalization", ICLR 2021 (batches, frozen BatchNorm, the
    best weights by source images); their learning rate is 5e-5, for 5000 steps.
    """

    stages: int = 3
    """How many of the last stages train, >= 1; those below are frozen."""
    steps: int = 100
    """>= 1."""
    per_domain: int = 8
    """Images of each domain, a step, >= 1."""
    learning_rate: float = 2e-4
    """> 0."""
    cosine_scale: float = 16.0
    """What cosines are multiplied by, > 0: the inverse temperature."""
    validate_every: int = 5
    """Steps, >= 1."""
    average: FlatAverage = field(default_factory=FlatAverage)
    """Over which of the steps the weights are averaged."""

    def __post_init__(self) -> None:
        names = ("stages", "steps", "per_domain", "learning_rate", "cosine_scale", "validate_every")
        check_positive("StageSettings", **{name: getattr(self, name) for name in names})


@dataclass(frozen=True, kw_only=True, eq=False)
class CosineHead:
    """What stands on the features while the stages train, and does not move: scale cos(features - offset, vector)."""

    offset: Float[np.ndarray, " F"]
    vectors: Float[np.ndarray, "C F"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuned:
    """What a training came to: weights of the stages, for `LastStages.features`."""

    best: Weights
    """Of the validation with the lowest loss, the one before the first step included."""
    averaged: Weights
    losses: tuple[float, ...]
    """On the validation images: before the first step, then every `validate_every` steps."""
