"""What a source of labelled images gives, before anything is split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.images import Images

__all__ = ["Collection", "named_classes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Collection:
    """Labelled images and what else their source says of each."""

    images: Images
    classes: ClassTable
    parts: tuple[str, ...] | None = None
    """train, validation or test of each image; None where the source splits nothing."""
    group: np.ndarray | None = None
    """(N,) patient, machine or site of each image."""
    sample_weight: Float[np.ndarray, " N"] | None = None
    """>= 0, one an image; None means all 1."""
    left_out: tuple[str, ...] = ()
    """Folders, splits and unlabelled images that are not among the images."""
    not_images: tuple[str, ...] = ()
    """Files whose name is not an image's."""

    def of_classes(self, which: Bool[np.ndarray, " C"]) -> "Collection":
        """The images of some classes, labelled by the table of these.

        Raises:
            ValueError: if none are asked for, or only some and images have several labels.
        """
        if which.all():
            return self
        if not which.any():
            fail("class table", "seen classes", "none", "Mark some as seen.")
        y = self.images.y
        if y.ndim == 2:
            fix = "Mark all classes as seen."
            fail("class table", "seen classes only with several labels an image", "unseen ones", fix)
        rows = np.flatnonzero(which[y])
        return Collection(
            images=self.images.select(rows).with_y((np.cumsum(which) - 1)[y[rows]]),
            classes=self.classes.select(np.flatnonzero(which)),
            parts=None if self.parts is None else tuple(self.parts[row] for row in rows),
            group=None if self.group is None else self.group[rows],
            sample_weight=None if self.sample_weight is None else self.sample_weight[rows],
            left_out=self.left_out,
            not_images=self.not_images,
        )


def named_classes(names: Sequence[str]) -> ClassTable:
    """Classes of which nothing but the names is known: no semantics, all seen."""
    count = len(names)
    return ClassTable(names=tuple(names), semantics=np.zeros((count, 0), np.float32), seen=np.ones(count, bool))
