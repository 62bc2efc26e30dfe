import numpy as np
import pytest

from zsltf.data.npz_images import read_npz

X = np.random.default_rng(0).integers(0, 256, (6, 5, 4, 3)).astype(np.uint8)
Y = np.array([0, 1, 2, 2, 1, 0])


def saved(folder, **arrays):
    np.savez(folder / "set.npz", **arrays)
    return folder / "set.npz"


@pytest.mark.parametrize("y", [Y, Y[:, None], np.eye(3)[Y], Y.astype(np.uint8)])
def test_labels_of_any_kind_are_rows(tmp_path, y):
    found = read_npz(saved(tmp_path, x=X, y=y))
    assert found.classes.names == ("0", "1", "2")
    np.testing.assert_array_equal(found.images.y, Y)
    np.testing.assert_array_equal(found.images.load(4, 9), X[4])
    assert found.group is found.sample_weight is found.parts is None


def test_several_labels_names_groups_and_weights(tmp_path):
    y = np.array([[1, 1], [0, 0], [0, 1], [1, 0], [1, 1], [0, 1]])
    group, weight = np.array(list("aabbcc")), np.arange(6)
    found = read_npz(saved(tmp_path, x=X, y=y, names=["cat", "dog"], group=group, weight=weight))
    assert found.classes.names == ("cat", "dog")
    np.testing.assert_array_equal(found.images.y, y.astype(np.float32))
    np.testing.assert_array_equal(found.group, group)
    np.testing.assert_array_equal(found.sample_weight, weight.astype(np.float32))


@pytest.mark.parametrize("grey", [X[..., 0], X[..., :1]])
def test_grey_images_get_three_channels(tmp_path, grey):
    found = read_npz(saved(tmp_path, x=grey, y=Y))
    np.testing.assert_array_equal(found.images.load(1, 9), np.repeat(X[1, :, :, :1], 3, axis=-1))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, r"arrays: expected one of x, received 'y'"),
        ({"x": X, "label": Y}, r"arrays: expected one of label, x, received 'y'"),
        ({"x": X, "y": Y[:5]}, r"y: expected length 6, received 5"),
        ({"x": X, "y": Y, "group": Y[:5]}, r"group: expected length 6, received 5"),
        ({"x": X, "y": Y, "names": ["a", "b"]}, r"labels: expected rows 0 to 1 of the ClassTable, received 2 for ima"),
        ({"x": X, "y": -Y}, r"received -1 for image 1"),
        ({"x": X.astype(object), "y": Y}, r"set\.npz: expected a \.npz file of plain arrays"),
        ({"x": X / 255, "y": Y}, r"expected floats in \[0, 255\], .*Scale them"),
        ({"x": X[..., :2], "y": Y}, r"ImageArray\.pixels: expected shape \(any, any, any, 3\)"),
        ({"x": X[:0], "y": Y[:0]}, r"expected at least one label, received none"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        read_npz(saved(tmp_path, **arrays))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04broken"])
def test_files_that_are_no_archive_are_refused(tmp_path, content):
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"set\.npz: expected a \.npz file of plain arrays"):
        read_npz(tmp_path / "set.npz")
    np.save(tmp_path / "set.npy", Y)
    with pytest.raises(ValueError, match=r"set\.npy: expected a \.npz file of plain arrays"):
        read_npz(tmp_path / "set.npy")
    with pytest.raises(ValueError, match=r"none\.npz: expected a \.npz file of plain arrays, received .*No such file"):
        read_npz(tmp_path / "none.npz")
