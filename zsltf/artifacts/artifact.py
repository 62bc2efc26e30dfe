"""An exported file, read back: the same call whichever runtime is behind it, and a class table that can be edited."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np
from jaxtyping import Float, UInt8

from zsltf.artifacts.card import Card
from zsltf.checks import check_finite, check_shape, fail
from zsltf.data.classes import ClassTable

__all__ = ["Artifact", "Images", "Outputs"]

Images = UInt8[np.ndarray, "B H W 3"]
Outputs = Mapping[str, Float[np.ndarray, "B C"]]
Answers = TypeVar("Answers")


@dataclass(frozen=True, kw_only=True, eq=False)
class Artifact:
    """Images (B, H, W, 3) uint8 in, `scores` and `probabilities` (B, C) out.

    Args:
        card: names and units.
        class_vectors: the table as it stands in the file, one row a class; empty if the file isn't editable.
        class_bias: what is added to the scores, one number a class.
        built_in: runs the file's own entry: images only.
        open_vocabulary: runs the open entry: images, class_vectors, class_bias.
        run_embed: images to embeddings (B, K), which class vectors are compared with.
        run_project: semantics (C, A) to class vectors (C, K).
        edited: whether the table differs from the file's, so that the open entry is needed.
    """

    card: Card
    class_vectors: Float[np.ndarray, "C *K"]
    class_bias: Float[np.ndarray, " C"]
    built_in: Callable[[Images], Outputs]
    open_vocabulary: Callable[[Images, np.ndarray, np.ndarray], Outputs]
    run_embed: Callable[[Images], Float[np.ndarray, "B *K"]]
    run_project: Callable[[Float[np.ndarray, "C A"]], Float[np.ndarray, "C *K"]]
    edited: bool = False

    def __post_init__(self) -> None:
        count = len(self.card.names)
        for name in ("class_vectors", "class_bias"):
            rows = len(getattr(self, name))
            if rows != count and self.card.editable:
                fail(f"the file's {name}", f"{count} rows, as its names", str(rows), "Export it again.")

    def __call__(self, images: Images) -> Outputs:
        """Scores and probabilities of the table's classes.

        Raises:
            ValueError: if images have another shape or type, the runtime refuses them, or the file has not a score for
                each name.
        """
        _check_images(images)
        if self.edited:
            return _answer(self.open_vocabulary, images, self.class_vectors, self.class_bias)
        outputs, count = _answer(self.built_in, images), len(self.card.names)
        if (scores := outputs["scores"].shape[1]) != count:
            fail("the file's scores", f"{count}, as its names", str(scores), "Export it again.")
        return outputs

    def embed(self, images: Images) -> Float[np.ndarray, "B *K"]:
        """What class vectors are compared with.

        Raises:
            ValueError: if images have another shape or type, the runtime refuses them, or the file has the built-in
                entry only.
        """
        _check_images(images)
        self._check_editable()
        return _answer(self.run_embed, images)

    def with_table(
        self, classes: ClassTable, class_vectors: Float[np.ndarray, "C *K"], class_bias: Float[np.ndarray, " C"]
    ) -> Self:
        """The same network under another class table.

        Raises:
            ValueError: if vectors, biases and names differ in number: a single bias would broadcast silently.
        """
        self._check_editable()
        vectors, bias = np.asarray(class_vectors, np.float32), np.asarray(class_bias, np.float32)
        check_shape("class_vectors", vectors, (len(classes), *self.class_vectors.shape[1:]), "Give one row a class.")
        check_shape("class_bias", bias, (len(classes),), "Give one bias a class row.")
        for name, numbers in (("class_vectors", vectors), ("class_bias", bias)):
            check_finite(name, numbers, "Give semantics in the units of the training table.")
        return replace(self, card=self.card.with_classes(classes), class_vectors=vectors, class_bias=bias, edited=True)

    def with_classes(self, new: ClassTable) -> Self:
        """The table and new classes by their semantics; their bias is 0, as for any unseen class.

        Raises:
            ValueError: if the file doesn't open by semantics, the columns differ, or a name is there already.
        """
        self._check_door("semantics")
        table = self.card.classes.concatenate(new.with_seen(np.zeros(len(new), bool)))
        vectors = np.concatenate([self.class_vectors, self.run_project(table.semantics[-len(new) :])])
        return self.with_table(table, vectors, np.append(self.class_bias, np.zeros(len(new), np.float32)))

    def with_photos(
        self, name: str, images: Sequence[Images], semantics: Float[np.ndarray, " A"] | None = None
    ) -> Self:
        """The table and one more class, whose vector is the mean embedding of a few photos.

        Args:
            name: of the class.
            images: of it, in batches, for sizes may differ.
            semantics: are kept; they also count as the file's `prior_photos` photos.

        Raises:
            ValueError: if the file doesn't open by photos, or the name is there already.
        """
        self._check_door("photos")
        table = self._with_row(name, semantics)
        if not images:
            fail("photos", "one or more", "none", "Give a few photos of the class.")
        embeddings = np.concatenate([self.embed(image) for image in images])
        vector = embeddings.mean(axis=0, keepdims=True)
        if semantics is not None and self.card.prior_photos:
            prior, weight = self.run_project(table.semantics[-1:]), self.card.prior_photos
            vector = (len(embeddings) * vector + weight * prior) / (len(embeddings) + weight)
        level = 0.0
        if self.card.photo_level is not None:
            none = np.zeros(1, np.float32)
            own = np.concatenate([self.open_vocabulary(image, vector, none)["scores"] for image in images])
            level = self.card.photo_level - float(own.mean())
        return self.with_vector(name, vector[0], level, semantics)

    def with_vector(
        self,
        name: str,
        vector: Float[np.ndarray, " *K"],
        bias: float,
        semantics: Float[np.ndarray, " A"] | None = None,
    ) -> Self:
        """The table and one more class, whose vector and bias `with_photos` of a file of the same export has found.

        Raises:
            ValueError: if the file doesn't open by photos, the vector has another shape, or the name is there already.
        """
        self._check_door("photos")
        table, vector = self._with_row(name, semantics), np.asarray(vector, np.float32)
        check_shape(f"vector of {name!r}", vector, self.class_vectors.shape[1:], "Take it from the same export.")
        vectors = np.concatenate([self.class_vectors, vector[None]])
        return self.with_table(table, vectors, np.append(self.class_bias, np.float32(bias)))

    def _with_row(self, name: str, semantics: Float[np.ndarray, " A"] | None) -> ClassTable:
        """The table and a class that had no training image; zeros where it comes without semantics."""
        rows = np.zeros((1, len(self.card.columns)), np.float32) if semantics is None else np.asarray(semantics)[None]
        new = ClassTable(names=(name,), semantics=rows, seen=np.zeros(1, bool), columns=self.card.columns)
        return self.card.classes.concatenate(new)

    def without(self, names: Sequence[str]) -> Self:
        """The table without these classes.

        Raises:
            ValueError: if one isn't there, or none would be left.
        """
        self._check_editable()
        rows = self._rows(names)
        kept = np.setdiff1d(np.arange(len(self.card.names)), rows)
        if not len(kept):
            fail("classes to remove", "fewer than all", f"all {len(rows)}", "Leave at least one.")
        return self.with_table(self.card.classes.select(kept), self.class_vectors[kept], self.class_bias[kept])

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The table with other names for some classes.

        Raises:
            ValueError: if one isn't there, or a new name is there already.
        """
        self._check_editable()
        self._rows(tuple(names))
        table = self.card.classes
        new = tuple(names.get(name, name) for name in table.names)
        renamed = ClassTable(names=new, semantics=table.semantics, seen=table.seen, columns=table.columns)
        return self.with_table(renamed, self.class_vectors, self.class_bias)

    def _rows(self, names: Sequence[str]) -> list[int]:
        missing = [name for name in names if name not in self.card.names]
        if missing:
            received = ", ".join(repr(name) for name in missing)
            fail("classes", f"some of {', '.join(self.card.names[:8])}", received, "zsltf classes FILE list shows all.")
        return [self.card.names.index(name) for name in names]

    def _check_door(self, door: str) -> None:
        self._check_editable()
        if door not in self.card.opens_by:
            doors = " and ".join(self.card.opens_by) or "no door"
            fail("new class", f"a file that opens by {door}", f"one that opens by {doors}", "Export another method.")

    def _check_editable(self) -> None:
        if not self.card.editable:
            fail("the file", "one with an open entry", "one with the built-in entry only", "Edit its twin, or the run.")


def _answer(entry: Callable[..., Answers], images: Images, *table: np.ndarray) -> Answers:
    """What the runtime makes of images, or its refusal in its own words."""
    try:
        return entry(images, *table)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (runtimes' errors share no base but Exception)
        received = f"shape {images.shape}, of which its runtime says: {' '.join(str(error).split())[:300]}"
        fail("images", "what the file takes", received, "Give others, or export the file again.")


def _check_images(images: Images) -> None:
    check_shape("images", images, (None, None, None, 3), "Give a batch of RGB images.")
    if images.dtype != np.uint8:
        fail("images", "uint8 in 0..255", str(images.dtype), "Don't normalise: the file does.")
    if not images.size:
        fail("images", "at least one image of one pixel", f"shape {images.shape}", "Leave empty batches out.")
