"""NumPy files, whole, mapped and of another kind."""

import numpy as np
import pytest

from zsltf.data.npy import read_npy


@pytest.mark.parametrize("memory_map", [False, True])
def test_gives_back_what_was_written(tmp_path, memory_map):
    array = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    np.save(tmp_path / "x.npy", array)
    read = read_npy(tmp_path / "x.npy", memory_map=memory_map)
    np.testing.assert_array_equal(read, array)
    assert isinstance(read, np.memmap) == memory_map


def write_text(path):
    path.write_text("1, 2, 3", "utf-8")


def write_half(path):
    np.save(path, np.zeros(1000))
    path.write_bytes(path.read_bytes()[:500])


def write_pickle(path):
    np.save(path, np.array([{}], object))


def write_several(path):
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


@pytest.mark.parametrize("memory_map", [False, True])
@pytest.mark.parametrize(
    "write", [lambda path: None, write_text, write_half, write_pickle, write_several, lambda path: path.touch()]
)
def test_anything_else_is_an_error_that_names_the_file(tmp_path, write, memory_map):
    write(tmp_path / "x.npy")
    with pytest.raises(ValueError, match=r"x\.npy: expected a \.npy file"):
        read_npy(tmp_path / "x.npy", memory_map=memory_map)
