"""Sets in the layout of the zero-shot benchmark: res101.mat and att_splits.mat."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Int

from zsltf.checks import check_finite, fail
from zsltf.data.attributes import Missing, filled
from zsltf.data.benchmark_set import LOCATIONS, BenchmarkSet
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.mat import read_mat

__all__ = ["KNOWN", "SPLIT_FILES", "read_xlsa17"]

Semantics = Literal["att", "original_att", "sentences"]
SPLIT_FILES = {"att": "att_splits.mat", "original_att": "att_splits.mat", "sentences": "sent_splits.mat"}
"""Where each kind of semantics stands, with the splits."""
KNOWN = "known_to_backbone"
"""What a split file calls the unseen classes of the backbone's pretraining, where `make_splits` has told them."""
_FIX = "Make the files again, or fetch the set again."


def read_xlsa17(
    folder: Path, *, name: str | None = None, semantics: Semantics = "att", missing: Missing = "refuse"
) -> BenchmarkSet:
    """Read one set, of any MATLAB version.

    Args:
        folder: with res101.mat (features in columns, labels from 1) and att_splits.mat, or sent_splits.mat.
        name: what the set is called; by default as its folder.
        semantics: which matrix: attributes as the benchmark normalises them, as they were, or sentence embeddings.
        missing: what to do about attributes marked -1 in original_att; see `filled`.

    Raises:
        ValueError: if something is missing, out of range, overlapping, not finite or the wrong way round.
    """
    matrix = "att" if semantics == "sentences" else semantics
    images = _read(folder / "res101.mat", ("features", "labels"))
    splits = _read(folder / SPLIT_FILES[semantics], (matrix, *(f"{part}_loc" for part in LOCATIONS)))
    x = np.ascontiguousarray(_matrix(f"{folder}, features", images["features"]).astype(np.float32).T)
    check_finite(f"{folder}, features (image, feature)", x, _FIX)
    y = _integers(f"{folder}, labels", images["labels"]) - 1
    table = class_table(folder, splits, matrix, labelled=int(y.max(initial=-1)) + 1)
    if len(x) != len(y) or not len(y) or y.min() < 0 or y.max() >= len(table):
        received = f"{len(y)} labels" + (f" from {y.min() + 1} to {y.max() + 1}" if len(y) else "")
        fail(f"{folder}, labels", f"{len(x)} labels from 1 to {len(table)}", received, _FIX)
    paths = tuple(map(str, images["image_files"])) if len(images.get("image_files", ())) == len(x) else ()
    locations = {part: _integers(f"{folder}, {part}_loc", splits[f"{part}_loc"]) - 1 for part in LOCATIONS}
    trained = locations["trainval"]
    seen = np.isin(np.arange(len(table)), y[trained[(trained >= 0) & (trained < len(y))]])
    return BenchmarkSet(
        name=name or folder.name,
        features=Features(x=x, y=y, paths=paths),
        classes=filled(table.with_seen(seen), missing, f"{folder}, {matrix}"),
        known_to_backbone=tuple(map(str, splits[KNOWN])) if KNOWN in splits else None,
        **locations,
    )


def class_table(folder: Path, splits: Mapping[str, Any], matrix: str, *, labelled: int) -> ClassTable:
    """Names and semantics of a split file, given how many classes the labels speak of."""
    what = f"{folder}, {matrix}"
    att = _matrix(what, splits[matrix]).astype(np.float64)
    names = tuple(map(str, splits.get("allclasses_names", ())))
    count = len(names) or (labelled if len(att) == labelled else att.shape[1])  # without names, rows may look like it
    if att.shape[1] != count:
        turned = " It looks transposed: classes stand in rows." if len(att) == count else ""
        fail(what, f"attributes x {count} classes", f"shape {att.shape}", f"Classes go in columns.{turned}")
    names = names or tuple(f"class {i + 1}" for i in range(count))
    check_finite(what, att, "Fill in the attribute, or leave the class out.")
    return ClassTable(names=names, semantics=att.T.astype(np.float32), seen=np.zeros(count, bool))


def _numbers(what: str, value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        received = "text" if isinstance(value, list) else f"{type(value).__name__} of {value.dtype}"
        fail(what, "an array of real numbers", received, _FIX)
    return value


def _matrix(what: str, value: Any) -> np.ndarray:
    """Numbers in two axes, after those of length 1 that other programs add."""
    array = _numbers(what, value)
    array = array.squeeze() if array.ndim > 2 else array
    if array.ndim != 2:
        fail(what, "a matrix", f"shape {np.shape(value)}", _FIX)
    return array


def _integers(what: str, value: Any) -> Int[np.ndarray, " n"]:
    array = _numbers(what, value).ravel()
    wrong = array[array != np.floor(array)] if array.dtype.kind == "f" else array[:0]
    if len(wrong):
        fail(what, "whole numbers", f"{wrong[0]:g}", _FIX)
    return array.astype(np.int64)


def _read(path: Path, needed: tuple[str, ...]) -> dict[str, Any]:
    if not path.is_file():
        fail(str(path), "a file of the benchmark's layout", "none", "Check the folder, or make one with make_splits.")
    content = read_mat(path)
    lacking = [name for name in needed if name not in content]
    if lacking:
        fail(str(path), f"variables {', '.join(needed)}", f"none named {', '.join(lacking)}", _FIX)
    return content
