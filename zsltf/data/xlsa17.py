"""Sets in the layout of the zero-shot benchmark: res101.mat and att_splits.mat."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zsltf.checks import check_finite, fail
from zsltf.data.attributes import Missing, filled
from zsltf.data.benchmark_set import LOCATIONS, BenchmarkSet
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.mat import read_mat

__all__ = ["SPLIT_FILES", "read_xlsa17"]

Semantics = Literal["att", "original_att", "sentences"]
SPLIT_FILES = {"att": "att_splits.mat", "original_att": "att_splits.mat", "sentences": "sent_splits.mat"}
"""Where each kind of semantics stands, with the splits."""
_FIX = "Make the files again, or fetch the set again."


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
    table = class_table(folder, splits, "att" if semantics == "sentences" else semantics, missing)
    if len(x) != len(y) or y.min() < 0 or y.max() >= len(table):
        received = f"{len(y)} labels from {y.min() + 1} to {y.max() + 1}"
        fail(f"{folder}, labels", f"{len(x)} labels from 1 to {len(table)}", received, _FIX)
    paths = tuple(map(str, images["image_files"])) if len(images.get("image_files", ())) == len(x) else ()
    locations = {name: np.asarray(splits[f"{name}_loc"]).ravel().astype(np.int64) - 1 for name in LOCATIONS}
    trained = locations["trainval"]
    seen = np.isin(np.arange(len(table)), y[trained[(trained >= 0) & (trained < len(y))]])
    return BenchmarkSet(
        name=folder.name, features=Features(x=x, y=y, paths=paths), classes=table.with_seen(seen), **locations
    )


def class_table(folder: Path, splits: Mapping[str, Any], matrix: str, missing: Missing) -> ClassTable:
    """Names and semantics of a split file."""
    att, what = np.asarray(splits[matrix], np.float64), f"{folder}, {matrix}"
    names = tuple(map(str, splits.get("allclasses_names", ()))) or tuple(f"class {i + 1}" for i in range(att.shape[-1]))
    if att.ndim != 2 or att.shape[1] != len(names):
        turned = " It looks transposed: classes stand in rows." if att.shape[:1] == (len(names),) else ""
        fail(what, f"attributes x {len(names)} classes", f"shape {att.shape}", f"Classes go in columns.{turned}")
    check_finite(what, att, "Fill in the attribute, or leave the class out.")
    empty = [name for name, column in zip(names, att.T, strict=True) if not column.any()]
    if empty:
        fail(what, "semantics of every class", f"only zeros for {', '.join(empty[:5])}", "Fill them in.")
    rows = filled(att.T, missing, what)
    return ClassTable(names=names, semantics=rows.astype(np.float32), seen=np.zeros(len(names), bool))


def _read(path: Path, needed: tuple[str, ...]) -> dict[str, Any]:
    if not path.is_file():
        fail(str(path), "a file of the benchmark's layout", "none", "Check the folder, or make one with make_splits.")
    content = read_mat(path)
    lacking = [name for name in needed if name not in content]
    if lacking:
        fail(str(path), f"variables {', '.join(needed)}", f"none named {', '.join(lacking)}", _FIX)
    return content
