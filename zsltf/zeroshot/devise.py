"""DeViSE: a bilinear compatibility under the sum of all margin violations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.losses.ranking import SumHinge
from zsltf.similarities.dot import Dot
from zsltf.training.compatibility import CompatibilityMethod, Parts
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
        train.check_vectors("DeViSE")
        embed = linear(np.zeros((train.x.shape[1], len(classes.columns))))
        return Parts(embed=embed, project=None, similarity=Dot(name="dot"), loss=SumHinge())
