"""Sets in the layout of the zero-shot benchmark: res101.mat and att_splits.mat."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Int

from zsltf.checks import check_finite, fail
from zsltf.data.attributes import Missing, filled
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.mat import read_mat

__all__ = ["SPLIT_FILES", "BenchmarkSet", "read_xlsa17"]

Semantics = Literal["att", "original_att", "sentences"]
SPLIT_FILES = {"att": "att_splits.mat", "original_att": "att_splits.mat", "sentences": "sent_splits.mat"}
"""Where each kind of semantics stands, with the splits."""
_LOCATIONS = ("train", "val", "trainval", "test_seen", "test_unseen")
_FIX = "Make the files again, or fetch the set again."


@dataclass(frozen=True, kw_only=True, eq=False)
class BenchmarkSet:
    """Features of all images, the class table, and who is in which part; locations are rows of the features.

    Source: Xian, Lampert, Schiele & Akata, "Zero-shot learning: a comprehensive evaluation of the good, the bad and the
    ugly", TPAMI 2019.
    """

    name: str
    features: Features
    classes: ClassTable
    """Seen are the classes of `trainval`."""
    train: Int[np.ndarray, " a"]
    """Images to fit on while settings are chosen; no class of `val` is among theirs."""
    val: Int[np.ndarray, " b"]
    trainval: Int[np.ndarray, " c"]
    """Images to fit on in the end."""
    test_seen: Int[np.ndarray, " d"]
    test_unseen: Int[np.ndarray, " e"]

    def __post_init__(self) -> None:
        for name in _LOCATIONS:
            rows = getattr(self, name)
            if not len(rows) or rows.min() < 0 or rows.max() >= len(self.features):
                received = f"{rows.min() + 1} to {rows.max() + 1}" if len(rows) else "none"
                expected = f"images 1 to {len(self.features)}, counted from 1"
                fail(f"{self.name}, {name}_loc", expected, received, _FIX)
        self._check_apart("trainval", "test_seen")
        for one, other in (("trainval", "test_unseen"), ("train", "val")):
            self._check_apart(one, other)
            both = np.intersect1d(self.labels(one), self.labels(other))
            if len(both):
                named = ", ".join(self.classes.names[i] for i in both[:5])
                fail(f"{self.name}, {one}_loc and {other}_loc", "different classes", f"{named} in both", _FIX)
        unseen = len(np.unique(self.labels("test_unseen")))
        if unseen < 2:
            fail(f"{self.name}, test_unseen_loc", "images of at least 2 classes", str(unseen), "Split it otherwise.")

    def labels(self, location: str) -> Int[np.ndarray, " n"]:
        """Rows of the class table, of the images of a part such as "trainval"."""
        return self.features.y[getattr(self, location)]

    @property
    def digest(self) -> str:
        """Sha-256 of the index vectors, 16 digits: results under different splits must not be compared."""
        digest = hashlib.sha256()
        for name in _LOCATIONS:
            digest.update(name.encode() + np.sort(getattr(self, name)).astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    def _check_apart(self, one: str, other: str) -> None:
        both = np.intersect1d(getattr(self, one), getattr(self, other))
        if len(both):
            received = f"{len(both)} in both, such as image {both[0] + 1}"
            fail(f"{self.name}, {one}_loc and {other}_loc", "different images", received, _FIX)


def read_xlsa17(folder: Path, *, semantics: Semantics = "att", missing: Missing = "refuse") -> BenchmarkSet:
    """Read one set, of any MATLAB version.

    Args:
        folder: with res101.mat (features in columns, labels from 1) and att_splits.mat, or sent_splits.mat.
        semantics: which matrix: attributes as the benchmark normalises them, as they were, or sentence embeddings.
        missing: what to do about attributes marked -1 in original_att; see `filled`.

    Raises:
        ValueError: if something is missing, out of range, overlapping, not finite or the wrong way round.
    """
    images = _read(folder / "res101.mat", ("features", "labels"))
    splits = _read(folder / SPLIT_FILES[semantics], ("att",))
    x = np.ascontiguousarray(np.asarray(images["features"], np.float32).T)
    y = np.asarray(images["labels"]).ravel().astype(np.int64) - 1
    matrix = "att" if semantics == "sentences" else semantics
    table = class_table(folder, splits, matrix)
    if len(x) != len(y) or y.min() < 0 or y.max() >= len(table):
        received = f"{len(y)} labels from {y.min() + 1} to {y.max() + 1}"
        fail(f"{folder}, labels", f"{len(x)} labels from 1 to {len(table)}", received, _FIX)
    paths = tuple(map(str, images["image_files"])) if len(images.get("image_files", ())) == len(x) else ()
    locations = {name: np.asarray(splits[f"{name}_loc"]).ravel().astype(np.int64) - 1 for name in _LOCATIONS}
    trained = locations["trainval"]
    seen = np.isin(np.arange(len(table)), y[trained[(trained >= 0) & (trained < len(y))]])
    classes = filled(table.with_seen(seen), missing, f"{folder}, {matrix}")
    return BenchmarkSet(name=folder.name, features=Features(x=x, y=y, paths=paths), classes=classes, **locations)


def class_table(folder: Path, splits: Mapping[str, Any], matrix: str) -> ClassTable:
    """Names and semantics of a split file."""
    att, what = np.asarray(splits[matrix], np.float64), f"{folder}, {matrix}"
    names = tuple(map(str, splits.get("allclasses_names", ()))) or tuple(f"class {i + 1}" for i in range(att.shape[-1]))
    if att.ndim != 2 or att.shape[1] != len(names):
        turned = " It looks transposed: classes stand in rows." if att.shape[:1] == (len(names),) else ""
        fail(what, f"attributes x {len(names)} classes", f"shape {att.shape}", f"Classes go in columns.{turned}")
    check_finite(what, att, "Fill in the attribute, or leave the class out.")
    return ClassTable(names=names, semantics=att.T.astype(np.float32), seen=np.zeros(len(names), bool))


def _read(path: Path, needed: tuple[str, ...]) -> dict[str, Any]:
    if not path.is_file():
        fail(str(path), "a file of the benchmark's layout", "none", "Check the folder, or make one with make_splits.")
    content = read_mat(path)
    lacking = [name for name in needed if name not in content]
    if lacking:
        fail(str(path), f"variables {', '.join(needed)}", f"none named {', '.join(lacking)}", _FIX)
    return content
