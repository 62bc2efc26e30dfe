"""SJE: a bilinear compatibility under the largest margin violation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.losses.ranking import MaxHinge
from zsltf.training.compatibility import CompatibilityMethod, Parts, bilinear_parts
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["SJE"]


@dataclass(frozen=True, kw_only=True)
class SJE(CompatibilityMethod):
    """x W s, so that an image's class outscores the strongest other one by 1.

    Source: Akata, Reed, Walter, Lee & Schiele, "Evaluation of output embeddings for fine-grained image classification",
    CVPR 2015.
    """

    descent: Descent = field(default_factory=lambda: Descent(learning_rate=1e-2))

    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((1e-2, 1e-1), (1e-5, 1e-3), (3, 10, 30))}

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = x W from W = 0, B = S."""
        return bilinear_parts("SJE", train, classes, MaxHinge())
