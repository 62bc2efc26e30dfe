"""DeViSE: a bilinear compatibility under the sum of all margin violations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Float

from zsltf.classifier import Classifier, linear
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.losses.ranking import SumHinge
from zsltf.similarities.dot import Dot
from zsltf.training.compatibility import Parts, fit_epochs, fit_parts, grid_scores
from zsltf.training.descent import Descent, descents
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["DeViSE"]


@dataclass(frozen=True, kw_only=True)
class DeViSE:
    """x W s, so that an image's class outscores every other one by 1; all violations count alike.

    Source: Frome et al., "DeViSE: a deep visual-semantic embedding model", NeurIPS 2013 (there one violation is drawn).
    """

    descent: Descent = field(default_factory=lambda: Descent(learning_rate=1e-2))

    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"descent": descents((1e-2, 1e-1), (1e-5, 1e-3), (3, 10, 30))}

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Train on the seen classes."""
        return fit_parts(self._parts(train, classes), self.descent, train, classes)

    def fit_epochs(self, train: Features, classes: ClassTable) -> Iterator[Classifier]:
        """The Classifier after every epoch."""
        return fit_epochs(self._parts(train, classes), self.descent, train, classes)

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range."""
        found = grid_scores(self._parts(train, classes), self.SEARCH["descent"], train, classes, x)
        return ((replace(self, descent=descent), scores) for descent, scores in found)

    def _parts(self, train: Features, classes: ClassTable) -> Parts:
        """A = x W from W = 0, B = S."""
        train.check_vectors("DeViSE")
        embed = linear(np.zeros((train.x.shape[1], len(classes.columns))))
        return Parts(embed=embed, project=None, similarity=Dot(name="dot"), loss=SumHinge())
