"""An exported file, read back: the same call whichever runtime is behind it, and a class table that can grow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float, UInt8

from zsltf.artifacts.card import Card
from zsltf.checks import check_shape, fail
from zsltf.data.classes import ClassTable

__all__ = ["Artifact"]

Outputs = Mapping[str, Float[np.ndarray, "B C"]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Artifact:
    """Images (B, H, W, 3) uint8 in, `scores` and `probabilities` (B, C) out.

    Args:
        card: names and units.
        class_vectors: the table as it stands in the file, one row a class.
        class_bias: what is added to the scores, one number a class.
        built_in: runs the file's own entry: images only.
        open_vocabulary: runs the open entry: images, class_vectors, class_bias.
        run_project: semantics (C, A) to class vectors (C, K).
        edited: whether the table differs from the file's, so that the open entry is needed.
    """

    card: Card
    class_vectors: Float[np.ndarray, "C *K"]
    class_bias: Float[np.ndarray, " C"]
    built_in: Callable[[UInt8[np.ndarray, "B H W 3"]], Outputs]
    open_vocabulary: Callable[[UInt8[np.ndarray, "B H W 3"], np.ndarray, np.ndarray], Outputs]
    run_project: Callable[[Float[np.ndarray, "C A"]], Float[np.ndarray, "C *K"]]
    edited: bool = False

    def __post_init__(self) -> None:
        count = len(self.card.names)
        for name in ("class_vectors", "class_bias"):
            rows = len(getattr(self, name))
            if rows != count:
                fail(f"the file's {name}", f"{count} rows, as its names", str(rows), "Export it again.")

    def __call__(self, images: UInt8[np.ndarray, "B H W 3"]) -> Outputs:
        """Scores and probabilities of the table's classes.

        Raises:
            ValueError: if images have another shape or type.
        """
        check_shape("images", images, (None, None, None, 3), "Give a batch of RGB images.")
        if images.dtype != np.uint8:
            fail("images", "uint8 in 0..255", str(images.dtype), "Don't normalise: the file does.")
        if not images.size:
            fail("images", "at least one image of one pixel", f"shape {images.shape}", "Leave empty batches out.")
        if not self.edited:
            return self.built_in(images)
        return self.open_vocabulary(images, self.class_vectors, self.class_bias)

    def with_table(
        self, names: tuple[str, ...], class_vectors: Float[np.ndarray, "C *K"], class_bias: Float[np.ndarray, " C"]
    ) -> Self:
        """The same network under another class table.

        Raises:
            ValueError: if vectors, biases and names differ in number: a single bias would broadcast silently.
        """
        vectors, bias = np.asarray(class_vectors, np.float32), np.asarray(class_bias, np.float32)
        check_shape("class_vectors", vectors, (len(names), *self.class_vectors.shape[1:]), "Give one row a class.")
        check_shape("class_bias", bias, (len(names),), "Give one bias a class row.")
        seen = dict(zip(self.card.names, self.card.seen, strict=True))
        card = replace(self.card, names=names, seen=tuple(seen.get(name, False) for name in names))
        return replace(self, card=card, class_vectors=vectors, class_bias=bias, edited=True)

    def with_classes(self, new: ClassTable) -> Self:
        """The table and new classes by their semantics; their bias is 0, as for any unseen class.

        Raises:
            ValueError: if the file doesn't open by semantics, the columns differ, or a name is there already.
        """
        if "semantics" not in self.card.opens_by:
            doors = " and ".join(self.card.opens_by) or "no door"
            fail("new class", "a file that opens by semantics", f"one that opens by {doors}", "Export another method.")
        mine = ClassTable(
            names=self.card.names,
            semantics=np.zeros((len(self.card.names), len(self.card.columns))),
            seen=np.array(self.card.seen),
            columns=self.card.columns,
        )
        table = mine.concatenate(new)
        vectors = np.concatenate([self.class_vectors, self.run_project(new.semantics)])
        return self.with_table(table.names, vectors, np.append(self.class_bias, np.zeros(len(new), np.float32)))
