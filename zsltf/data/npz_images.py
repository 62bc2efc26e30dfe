"""A NumPy `.npz` file of pixels and labels."""

import zipfile
from pathlib import Path

import numpy as np

from zsltf.checks import check_choice, fail
from zsltf.data.collection import Collection, named_classes
from zsltf.data.image_array import ImageArray
from zsltf.data.labels import class_rows, multi_hot

__all__ = ["read_npz"]


def read_npz(path: Path) -> Collection:
    """Read the arrays x (pixels) and y (labels), and names (of the classes), group and weight where they are there.

    Args:
        path: x is (N, H, W, 3), or grey (N, H, W) or (N, H, W, 1), in [0, 255]; y is integers, one-hot or multi-hot.

    Raises:
        ValueError: if an array is missing or does not fit.
    """
    arrays = _arrays(path)
    for name in ("x", "y"):
        check_choice(f"{path}, arrays", name, arrays)
    y = arrays["y"]
    if not y.size:
        fail(f"{path}, y", "at least one label", "none", "Check how the file was written.")
    table = named_classes(_names(arrays.get("names"), y))
    one_each = y.ndim == 1 or y.shape[1:] == (1,) or (np.count_nonzero(y, axis=-1) == 1).all()
    labels = class_rows(y, len(table)) if one_each else multi_hot(y, len(table))
    for name in ("y", "group", "weight"):
        if name in arrays and len(arrays[name]) != len(arrays["x"]):
            fail(f"{path}, {name}", f"length {len(arrays['x'])}", str(len(arrays[name])), "Give one value an image.")
    weight = arrays.get("weight")
    return Collection(
        images=ImageArray(pixels=_colour(arrays["x"]), y=labels),
        classes=table,
        group=arrays.get("group"),
        sample_weight=None if weight is None else weight.astype(np.float32),
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:
        fail(str(path), "a .npz file of plain arrays", str(error), "Write it with numpy.savez.")


def _names(names: np.ndarray | None, y: np.ndarray) -> list[str]:
    if names is not None:
        return [str(name) for name in names]
    return [str(i) for i in range(y.shape[1] if y.ndim == 2 and y.shape[1] > 1 else int(y.max()) + 1)]


def _colour(x: np.ndarray) -> np.ndarray:
    grey = x[..., None] if x.ndim == 3 else x
    return np.repeat(grey, 3, axis=-1) if grey.ndim == 4 and grey.shape[-1] == 1 else grey
