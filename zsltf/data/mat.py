"""MATLAB files of any version, as arrays and lists of text."""

from pathlib import Path
from typing import Any

import numpy as np

from zsltf.checks import fail

__all__ = ["read_mat"]


def read_mat(path: Path) -> dict[str, Any]:
    """Name -> array, or list of str for a cell array of text.

    Version 7.3 is HDF5, where arrays stand transposed; they come back as MATLAB shows them.

    Raises:
        ValueError: if the file is damaged.
    """
    import h5py
    from scipy.io import loadmat

    try:
        if h5py.is_hdf5(path):
            with h5py.File(path) as file:
                return {name: _of_hdf5(file, value) for name, value in file.items() if isinstance(value, h5py.Dataset)}
        content = loadmat(path)
    except (OSError, ValueError, NotImplementedError, TypeError) as error:
        fail(str(path), "a MATLAB file", f"a damaged one ({error})", "Fetch it again.")
    return {name: _plain(value) for name, value in content.items() if not name.startswith("__")}


def _plain(value: Any) -> Any:
    if value.dtype == object:
        return ["".join(map(str, np.ravel(cell))) for cell in value.ravel()]
    return [str(text).strip() for text in value.ravel()] if value.dtype.kind == "U" else value


def _of_hdf5(file: Any, dataset: Any) -> Any:
    if dataset.dtype == object:  # references to the cells
        return ["".join(map(chr, file[reference][()].ravel())) for reference in dataset[()].T.ravel()]
    return dataset[()].T
