"""What a source of labelled images gives, before anything is split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

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
    """Folders, files and splits that are not among the images."""


def named_classes(names: Sequence[str]) -> ClassTable:
    """Classes of which nothing but the names is known: no semantics, all seen."""
    count = len(names)
    return ClassTable(names=tuple(names), semantics=np.zeros((count, 0), np.float32), seen=np.ones(count, bool))
