"""Pictures that this package draws, kept in the cache directory, as labelled images."""

from dataclasses import replace
from typing import Literal

import numpy as np

from zsltf.data.collection import Collection, named_classes
from zsltf.data.photo_set import PhotoSource

__all__ = ["read_drawn"]


def read_drawn(classes: Literal["shapes", "combinations"]) -> Collection:
    """The drawn set of seed 0: what is asked for is the shape, or shape, colour, texture and size together.

    Of the combinations a quarter is unseen.
    """
    (drawn,) = PhotoSource(drawn=(0,)).sets()
    (table,) = drawn.partitions.values()
    if classes == "combinations":
        return Collection(images=drawn.images, classes=table)
    shapes = [name.split("_")[-1] for name in table.names]
    names, rows = np.unique(shapes, return_inverse=True)
    images = replace(drawn.images, y=rows[drawn.images.y])
    return Collection(images=images, classes=named_classes(names.tolist()))
