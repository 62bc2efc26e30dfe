"""Labelled images with their weights: what a training learns from, or is watched on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_shape
from zsltf.data.images import Images, OnCorrupt

__all__ = ["Examples"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Images to train or to validate on.

    Args:
        images: with labels (N,), or multi-hot rows (N, C).
        sample_weight: >= 0, one an image; None means all 1.
        on_corrupt: "skip" gives an image that can't be decoded the weight 0, "error" stops at the first.
    """

    images: Images
    sample_weight: Float[np.ndarray, " N"] | None = None
    on_corrupt: OnCorrupt = "skip"

    def __post_init__(self) -> None:
        if self.sample_weight is not None:
            check_shape("Examples.sample_weight", self.sample_weight, (len(self.images),), "Give one weight an image.")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def weights(self) -> Float[np.ndarray, " N"]:
        """sample_weight, or ones."""
        return np.ones(len(self), np.float32) if self.sample_weight is None else self.sample_weight.astype(np.float32)
