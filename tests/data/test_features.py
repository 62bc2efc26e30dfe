import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features

FLOAT = st.floats(-1e6, 1e6, width=32)


def features(count=4, **changes):
    x = np.arange(3.0 * count, dtype=np.float32).reshape(count, 3)
    return Features(**{"x": x, "y": np.arange(count) % 2, **changes})


def table(count):
    return ClassTable(
        names=tuple(f"class {i}" for i in range(count)), semantics=np.zeros((count, 1)), seen=np.ones(count, bool)
    )


@pytest.mark.parametrize("shape", [(4, 3), (4, 2, 2, 3)])
def test_vectors_and_maps_are_features(shape):
    assert len(features(x=np.zeros(shape, np.float32))) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x": np.zeros((0, 3)), "y": np.zeros(0, int)},
            r"Features\.x: expected shape \(N, D\) or .*received shape \(0, 3",
        ),
        ({"x": np.zeros(4)}, r"Features\.x: expected shape \(N, D\) or \(N, H, W, D\), N > 0, received shape \(4,\)"),
        ({"x": np.zeros((4, 2, 3))}, r"received shape \(4, 2, 3\)\. Run extract_features again\."),
        (
            {"x": np.full((4, 3), np.nan)},
            r"x: expected finite numbers, received nan at \(0, 0\)\. Check the backbone's",
        ),
        (
            {"y": np.arange(3)},
            r"Features\.y: expected shape \(4,\), received shape \(3,\)\. Run extract_features again",
        ),
        ({"y": np.arange(4)[:, None]}, r"Features\.y: expected shape \(4,\), received shape \(4, 1\)"),
        ({"y": np.arange(4.0)}, r"Features\.y: expected integers >= 0, received float64, minimum 0\.0\. Give rows"),
        ({"y": np.array([0, 1, -1, 0])}, r"Features\.y: expected integers >= 0, received int64, minimum -1"),
        ({"paths": ("a", "b")}, r"Features\.paths: expected 4 paths, received 2"),
        (
            {"sample_weight": np.ones(3)},
            r"sample_weight: expected shape \(4,\), received shape \(3,\)\. Give one weight",
        ),
        (
            {"sample_weight": np.array([1, 1, np.nan, 1])},
            r"sample_weight: expected finite numbers, received nan at \(2,\)",
        ),
        ({"sample_weight": np.array([1, 1, -1.0, 1])}, r"sample_weight: expected numbers >= 0, not all 0"),
        ({"sample_weight": np.zeros(4)}, r"sample_weight: expected numbers >= 0, not all 0, .*Recompute the weights"),
    ],
)
def test_features_check_themselves(changes, message):
    with pytest.raises(ValueError, match=message):
        features(**changes)


@settings(deadline=None)
@given(st.integers(1, 8), st.data())
def test_select_takes_everything_of_an_example_along(count, data):
    x = data.draw(hnp.arrays(np.float32, (count, 2), elements=FLOAT))
    whole = Features(
        x=x,
        y=np.arange(count),
        sample_weight=np.arange(1.0, count + 1),
        paths=tuple(f"{i}.jpg" for i in range(count)),
    )
    rows = data.draw(st.lists(st.integers(0, count - 1), min_size=1))
    part = whole.select(rows)
    for new, old in enumerate(rows):
        np.testing.assert_array_equal(part.x[new], x[old])
        assert part.y[new] == old
        assert part.sample_weight[new] == old + 1
        assert part.paths[new] == f"{old}.jpg"
    mask = np.isin(np.arange(count), rows)
    np.testing.assert_array_equal(whole.select(mask).y, np.flatnonzero(mask))


def test_select_of_a_mask_of_another_length_is_an_error():
    with pytest.raises(IndexError):
        features().select(np.ones(3, bool))
    with pytest.raises(ValueError, match=r"N > 0, received shape \(0, 3\)"):
        features().select(np.zeros(4, bool))


def test_weights_are_ones_unless_given():
    np.testing.assert_array_equal(features().weights, np.ones(4))
    np.testing.assert_array_equal(features(sample_weight=np.arange(4.0)).weights, np.arange(4.0))


def test_with_x_and_with_y_keep_the_rest_and_check_again():
    whole = features(sample_weight=np.arange(4.0), paths=("a", "b", "c", "d"))
    other = whole.with_x(np.zeros((4, 7))).with_y(np.full(4, 5))
    assert other.paths == whole.paths
    assert other.sample_weight is whole.sample_weight
    np.testing.assert_array_equal(other.y, [5, 5, 5, 5])
    with pytest.raises(ValueError, match=r"Features\.y: expected shape \(3,\)"):
        whole.with_x(np.zeros((3, 7)))


def test_files_are_read_without_copying(tmp_path):
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    for name, array in {"x": x, "y": np.arange(4), "w": np.arange(4.0)}.items():
        np.save(tmp_path / f"{name}.npy", array)
    read = Features.from_npy(tmp_path / "x.npy", tmp_path / "y.npy", tmp_path / "w.npy")
    assert isinstance(read.x, np.memmap)
    np.testing.assert_array_equal(read.x, x)
    np.testing.assert_array_equal(read.y, np.arange(4))
    np.testing.assert_array_equal(read.weights, np.arange(4))
    assert Features.from_npy(tmp_path / "x.npy", tmp_path / "y.npy").sample_weight is None


@pytest.mark.parametrize("pickled", ["x", "y", "w"])
def test_a_pickle_in_a_file_is_not_run(tmp_path, pickled):
    for name, array in {"x": np.zeros((1, 2)), "y": np.zeros(1, int), "w": np.ones(1)}.items():
        np.save(tmp_path / f"{name}.npy", array.astype(object) if name == pickled else array)
    with pytest.raises(ValueError, match=r"pickle|Python objects"):
        Features.from_npy(*(tmp_path / f"{name}.npy" for name in "xyw"))


def test_every_class_needs_an_example_of_positive_weight():
    features().check_covers(table(2))
    with pytest.raises(
        ValueError, match=r"Features: expected an example of every class, received none of class 2\. Lea"
    ):
        features().check_covers(table(3))
    with pytest.raises(ValueError, match=r"received none of class 1\."):
        features(sample_weight=np.array([1.0, 0, 1, 0])).check_covers(table(2))


def test_a_label_beyond_the_table_is_refused():
    with pytest.raises(
        ValueError, match=r"Features\.y: expected labels < 1, received 1\. Give rows of the ClassTable\."
    ):
        features().check_covers(table(1))
