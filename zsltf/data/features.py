"""Features: what a backbone makes of N images, with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from zsltf.checks import check_finite, check_shape, fail
from zsltf.data.classes import ClassTable
from zsltf.data.npy import read_npy
from zsltf.data.unlabelled import Unlabelled

__all__ = ["Features"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Features:
    """N examples: pooled vectors (N, D) or feature maps (N, H, W, D).

    Args:
        x: the features, float32; may be memory-mapped.
        y: label i is row i of the ClassTable.
        sample_weight: >= 0, one an example; None means all 1. Every method honours or refuses it.
        paths: where each example came from, for the report.

    Raises:
        ValueError: if lengths differ, a value is not finite or a weight is negative.
    """

    x: Float[np.ndarray, "N *D"]
    y: Int[np.ndarray, " N"]
    sample_weight: Float[np.ndarray, " N"] | None = None
    paths: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.x.ndim not in (2, 4) or not len(self.x):
            fail(
                "Features.x",
                "shape (N, D) or (N, H, W, D), N > 0",
                f"shape {self.x.shape}",
                "Run extract_features again.",
            )
        check_finite("Features.x", self.x, "Check the backbone's weights and precision.")
        check_shape("Features.y", self.y, (len(self.x),), "Run extract_features again.")
        if not np.issubdtype(self.y.dtype, np.integer) or self.y.min() < 0:
            fail(
                "Features.y", "integers >= 0", f"{self.y.dtype}, minimum {self.y.min()}", "Give rows of the ClassTable."
            )
        if self.paths and len(self.paths) != len(self.x):
            fail("Features.paths", f"{len(self.x)} paths", str(len(self.paths)), "Run extract_features again.")
        if self.sample_weight is not None:
            check_shape("Features.sample_weight", self.sample_weight, (len(self.x),), "Give one weight an example.")
            check_finite("Features.sample_weight", self.sample_weight, "Recompute the weights.")
            if self.sample_weight.min() < 0 or not self.sample_weight.any():
                fail("Features.sample_weight", "numbers >= 0, not all 0", "others", "Recompute the weights.")

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def from_npy(cls, x: Path, y: Path, sample_weight: Path | None = None) -> "Features":
        """Read `.npy` files; x is memory-mapped."""
        weight = None if sample_weight is None else read_npy(sample_weight)
        return cls(x=read_npy(x, memory_map=True), y=read_npy(y), sample_weight=weight)

    @property
    def weights(self) -> Float[np.ndarray, " N"]:
        """sample_weight, or ones."""
        return np.ones(len(self), np.float32) if self.sample_weight is None else self.sample_weight

    def select(self, which: Sequence[int] | Int[np.ndarray, " M"] | Bool[np.ndarray, " N"]) -> "Features":
        """The examples of these indices or of this mask, in this order."""
        rows = np.arange(len(self))[np.asarray(which)]
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        paths = tuple(self.paths[i] for i in rows) if self.paths else ()
        return replace(self, x=self.x[rows], y=self.y[rows], sample_weight=weight, paths=paths)

    def counted(self) -> "Features":
        """The examples of weight > 0."""
        counts = self.weights > 0
        return self if counts.all() else self.select(counts)

    def whole(self, method: str) -> "Features":
        """The examples of weight 1 without those of weight 0; for a method that an example is in or not."""
        if not np.isin(self.weights, (0, 1)).all():
            fail(f"{method}: sample_weight", "0 or 1 an example", "others", "Leave out what should not count.")
        return self.counted()

    def with_x(self, x: Float[np.ndarray, "N *D"]) -> "Features":
        """The same examples under other features."""
        return replace(self, x=x)

    def with_y(self, y: Int[np.ndarray, " N"]) -> "Features":
        """The same examples under other labels."""
        return replace(self, y=y)

    def unlabelled(self) -> Unlabelled:
        """The same examples without their labels and weights."""
        return Unlabelled(x=self.x, paths=self.paths)

    def places(self) -> "Features":
        """Each place of each feature map as an example of its own; vectors as they are."""
        if self.x.ndim == 2:
            return self
        count = int(np.prod(self.x.shape[1:3]))
        weight = None if self.sample_weight is None else np.repeat(self.sample_weight, count)
        return Features(x=self.x.reshape(-1, self.x.shape[-1]), y=np.repeat(self.y, count), sample_weight=weight)

    def check_vectors(self, method: str) -> None:
        """Refuse feature maps for a method that takes pooled vectors."""
        if self.x.ndim != 2:
            fail(method, "features (N, D)", f"maps {self.x.shape}", "Average them: features.x.mean(axis=(1, 2)).")

    def check_seen(self, classes: ClassTable) -> None:
        """Refuse examples of classes that the table marks unseen, and a label that is no row."""
        self.check_rows(classes)
        unseen = [classes.names[label] for label in np.unique(self.y) if not classes.seen[label]]
        if unseen:
            fix = "Keep features.select(classes.seen[features.y]), or mark these classes seen: classes.with_seen(...)."
            fail("Features.y", "examples of seen classes", f"some of {', '.join(unseen[:5])}, marked unseen", fix)

    def check_covers(self, classes: ClassTable) -> None:
        """Refuse a class without an example of weight > 0, and a label that is no row."""
        self.check_rows(classes)
        total = np.bincount(self.y, weights=self.weights, minlength=len(classes))
        missing = [name for name, weight in zip(classes.names, total, strict=True) if weight <= 0]
        if missing:
            fail(
                "Features", "an example of every class", f"none of {', '.join(missing[:5])}", "Leave those classes out."
            )

    def check_rows(self, classes: ClassTable) -> None:
        """Refuse a label that is no row of the table."""
        if self.y.max() >= len(classes):
            fail("Features.y", f"labels < {len(classes)}", str(self.y.max()), "Give rows of the ClassTable.")
