"""DeViSE: a bilinear compatibility under the sum of all margin violations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.losses.ranking import SumHinge
from zsltf.training.compatibility import CompatibilityMethod, Parts, bilinear_parts
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["DeViSE"]


@dataclass(frozen=True, kw_only=True)
class DeViSE(CompatibilityMethod):
    """x W s, so that an image's class outscores every other one by 1; all violations count alike.

    Source: Frome et al., "DeViSE: a deep visual-semantic embedding model", NeurIPS 2013 (there one violation is drawn).
    """

    descent: Descent = field(default_factory=lambda: Descent(learning_rate=1e-2))

    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((1e-2, 1e-1), (1e-5, 1e-3), (3, 10, 30))}

    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = x W from W = 0, B = S."""
        return bilinear_parts("DeViSE", train, classes, SumHinge())
