"""Cosine head: the angle between features and class vectors, as in Baseline++."""

from dataclasses import dataclass
from typing import Any

from zsltf.checks import check_positive
from zsltf.closed import ClassScores
from zsltf.objectives import OneClass
from zsltf.similarities.cosine import Cosine

__all__ = ["CosineHead"]


@dataclass(frozen=True, kw_only=True)
class CosineHead:
    """Scaled cosine similarity to one trained vector a class; a new class is the mean of a few photos.

    Source: Chen, Liu, Kira, Wang & Huang, "A closer look at few-shot classification", ICLR 2019 (Baseline++).
    """

    scale: float = 10.0
    """Inverse temperature, > 0: scores lie in [-scale, scale]."""

    objective = OneClass()

    def __post_init__(self) -> None:
        check_positive("CosineHead", scale=self.scale)

    def build(self, features: Any, num_outputs: int, name: str) -> tuple[Any, Any]:
        """Features (B, D) to A (B, D) and scores (B, C)."""
        scores = ClassScores(num_outputs, Cosine(scale=self.scale), use_bias=False, name=f"{name}_scores")
        return features, scores(features)
