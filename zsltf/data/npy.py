"""NumPy `.npy` files."""

from pathlib import Path

import numpy as np

from zsltf.checks import fail

__all__ = ["read_npy"]


def read_npy(path: Path, *, memory_map: bool = False) -> np.ndarray:
    """The array of a `.npy` file.

    Args:
        path: its file.
        memory_map: leave it on disk and read what is used.

    Raises:
        ValueError: if there is no such file, or it holds something else.
    """
    try:
        array = np.load(path, mmap_mode="r" if memory_map else None, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).partition("\n")[0]
        fail(str(path), "a .npy file of a plain array", reason, "Check the path, or write it with numpy.save.")
    if not isinstance(array, np.ndarray):  # of several arrays
        array.close()
        fail(str(path), "a .npy file", "a .npz file", "Write each array with numpy.save.")
    return array
