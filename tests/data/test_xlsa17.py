"""The benchmark's layout: real files, odd shapes, MATLAB 7.3, and everything that can be wrong with them."""

import h5py
import numpy as np
import pytest
import scipy.sparse
from scipy.io import loadmat, savemat

from zsltf.data.benchmark_set import BenchmarkSet
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.xlsa17 import read_xlsa17

NAMES = ("cat", "dog", "cow", "owl", "bat", "emu")


def content(**changes):
    """Six classes of four images; cat and dog train, cow and emu validate, owl and bat are unseen."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(1, 7), 4)
    places = np.arange(1, 25)
    seen = np.isin(labels, (1, 2, 3, 6))
    held = places % 4 == 0
    values = {
        "features": rng.normal(size=(5, 24)),
        "labels": labels[:, None],
        "image_files": np.array([f"{i}.jpg" for i in places], object)[:, None],
        "att": rng.uniform(0.1, 1, (3, 6)),
        "original_att": rng.uniform(1, 9, (3, 6)),
        "allclasses_names": np.array(NAMES, object)[:, None],
        "train_loc": places[np.isin(labels, (1, 2)) & ~held][:, None],
        "val_loc": places[np.isin(labels, (3, 6)) & ~held][:, None],
        "trainval_loc": places[seen & ~held][:, None, None],
        "test_seen_loc": places[seen & held][:, None],
        "test_unseen_loc": places[np.isin(labels, (4, 5))][:, None],
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def write(folder, **changes):
    folder.mkdir(exist_ok=True)
    values = content(**changes)
    first = ("features", "labels", "image_files")
    savemat(folder / "res101.mat", {name: values[name] for name in first if name in values})
    savemat(folder / "att_splits.mat", {name: value for name, value in values.items() if name not in first})
    return folder


def test_columns_are_images_and_locations_count_from_one(tmp_path):
    values, data = content(), read_xlsa17(write(tmp_path / "SET"))
    np.testing.assert_allclose(data.features.x, values["features"].T, rtol=1e-6)
    np.testing.assert_array_equal(data.features.y, np.repeat(np.arange(6), 4))
    np.testing.assert_allclose(data.classes.semantics, values["att"].T, rtol=1e-6)
    assert (data.name, data.classes.names) == ("SET", NAMES)
    assert data.classes.seen.tolist() == [True] * 3 + [False] * 2 + [True]
    assert data.features.paths[:2] == ("1.jpg", "2.jpg")
    for name in ("train", "val", "trainval", "test_seen", "test_unseen"):
        np.testing.assert_array_equal(getattr(data, name), values[f"{name}_loc"].ravel() - 1)
    assert set(data.labels("test_unseen")) == {3, 4}


def test_matlab_7_3_reads_the_same(tmp_path):
    old = read_xlsa17(write(tmp_path / "SET"))
    new = tmp_path / "NEW" / "SET"
    new.mkdir(parents=True)
    for file in ("res101.mat", "att_splits.mat"):
        values = content()
        with h5py.File(new / file, "w") as out:
            for name, value in values.items():
                if value.dtype != object:
                    out[name] = value.T
                    continue
                cells = [
                    out.create_dataset(f"#refs#/{file}{name}{i}", data=np.array([[ord(c)] for c in text], np.uint16))
                    for i, text in enumerate(value.ravel())
                ]
                out.create_dataset(name, data=np.array([[cell.ref for cell in cells]], dtype=h5py.ref_dtype))
    data = read_xlsa17(new)
    np.testing.assert_array_equal(data.features.x, old.features.x)
    assert (data.classes.names, data.features.paths, data.digest) == (old.classes.names, old.features.paths, old.digest)


def test_the_digest_tells_splits_apart_and_not_their_order(tmp_path):
    first = read_xlsa17(write(tmp_path / "SET"))
    moved = content()["trainval_loc"][::-1]
    assert read_xlsa17(write(tmp_path / "SET", trainval_loc=moved)).digest == first.digest
    assert read_xlsa17(write(tmp_path / "SET", trainval_loc=moved[1:])).digest != first.digest


def test_other_semantics_are_read_on_request(tmp_path):
    folder = write(tmp_path / "SET")
    np.testing.assert_allclose(
        read_xlsa17(folder, semantics="original_att").classes.semantics, content()["original_att"].T, rtol=1e-6
    )
    (folder / "att_splits.mat").rename(folder / "sent_splits.mat")
    np.testing.assert_allclose(
        read_xlsa17(folder, semantics="sentences").classes.semantics, content()["att"].T, rtol=1e-6
    )


def test_the_real_set_of_hand_made_features(test_data):
    data = read_xlsa17(test_data / "xlsa17" / "AWA1_SHALLOW")
    assert data.features.x.shape == (9845, 256)
    assert (data.classes.seen.sum(), len(set(data.labels("test_unseen"))), len(set(data.labels("val")))) == (40, 10, 13)
    unseen = {data.classes.names[i] for i in data.labels("test_unseen")}
    assert {"chimpanzee", "giant+panda", "leopard"} < unseen  # the split of Lampert et al., not the proposed one
    with pytest.raises(ValueError, match=r"original_att: expected every attribute .*, received 4 marked -1"):
        read_xlsa17(test_data / "xlsa17" / "AWA1_SHALLOW", semantics="original_att")
    filled = read_xlsa17(test_data / "xlsa17" / "AWA1_SHALLOW", semantics="original_att", missing="mean")
    assert filled.classes.semantics.min() >= 0


BAD = {
    "a location that no image has": (
        {"val_loc": np.array([[99]])},
        r"val_loc: expected images 1 to 24, counted from 1, rec",
    ),
    "an empty location": (
        {"test_seen_loc": np.zeros((0, 1))},
        r"test_seen_loc: expected images 1 to 24.* received none",
    ),
    "a location counted from 0": ({"train_loc": np.array([[0, 1]])}, r"train_loc: expected .* received 0 to 1"),
    "a test image in training": (
        {"test_seen_loc": np.array([[1, 4]])},
        r"trainval_loc and test_seen_loc: expected differe",
    ),
    "an unseen class in training": (
        {"test_unseen_loc": np.array([[12, 16]])},
        r"trainval_loc and test_unseen_loc: expected different classes, received cow in both",
    ),
    "a validation class in training": ({"val_loc": np.array([[4, 9]])}, r"different classes, received cat in both"),
    "one unseen class": ({"test_unseen_loc": np.array([[16, 15]])}, r"images of at least 2 classes, received 1"),
    "an unseen class in the choice's training": ({"train_loc": np.array([[1, 13]])}, r"train_loc and test_unseen_loc"),
    "an unseen class in validation": ({"val_loc": np.array([[9, 13]])}, r"val_loc and test_unseen_loc: "),
    "an unseen image among the seen test's": (
        {"test_seen_loc": np.array([[4, 13]])},
        r"test_seen_loc and test_unseen_loc: expected different images, received 1 in both, such as image 13",
    ),
    "a seen test's class without training": (
        {"trainval_loc": np.array([[1, 5, 9]]), "val_loc": np.array([[9, 21]])},
        r"test_seen_loc: expected classes of trainval_loc, received emu too",
    ),
    "one validation class": (
        {"val_loc": np.array([[9, 10]])},
        r"val_loc: expected images of trainval_loc of at least 2 classes, received 1\. Split it otherwise",
    ),
    "one validation class besides tested images": (
        {"val_loc": np.array([[9, 24]])},
        r"val_loc: expected images of trainval_loc of at least 2 classes, received 1",
    ),
    "nothing but tested images to train on": (
        {"train_loc": np.array([[4, 8]])},
        r"train_loc: expected images of trainval_loc of at least 1 class, received 0",
    ),
    "an image twice": ({"trainval_loc": np.array([[1, 5, 5]])}, r"expected each image once, received image 5 2 times"),
    "attributes the wrong way round": (
        {"att": content()["att"].T},
        r"att: expected attributes x 6 classes, received shape \(6, 3\)\. Classes go in columns\. It looks transposed",
    ),
    "attributes of other classes": ({"att": np.ones((3, 7))}, r"att: expected attributes x 6 classes, received shape"),
    "the attributes' other matrix missing": (
        {"original_att": None, "semantics": "original_att"},
        r"att_splits\.mat: expected variables original_att, .* received none named original_att",
    ),
    "a location missing": ({"train_loc": None}, r"att_splits\.mat: expected .* received none named train_loc"),
    "a fraction among labels": (
        {"labels": content()["labels"] + 0.5 * (content()["labels"] == 2)},
        r"labels: expected whole numbers, received 2\.5",
    ),
    "a fraction among locations": (
        {"val_loc": np.array([[9.25, 21]])},
        r"val_loc: expected whole numbers, rec.* 9\.25",
    ),
    "a location that is no number": (
        {"val_loc": np.array([[9, np.nan]])},
        r"val_loc: expected whole numbers, received nan",
    ),
    "attributes the wrong way round, without names": (
        {"att": content()["att"].T, "allclasses_names": None},
        r"att: expected attributes x 6 classes, received shape \(6, 3\)\. Classes go in columns\. It looks transposed",
    ),
    "many attributes the wrong way round, without names": (
        {"att": np.ones((6, 9)), "allclasses_names": None},
        r"att: expected attributes x 6 classes, received shape \(6, 9\)\. Classes go in columns\. It looks transposed",
    ),
    "attributes in three axes": ({"att": np.ones((3, 6, 2))}, r"att: expected a matrix, received shape \(3, 6, 2\)"),
    "features of text": (
        {"features": np.array(["a", "b"], object)[:, None]},
        r"features: expected an array of real numbers, received text",
    ),
    "complex features": (
        {"features": np.full((5, 24), 1j)},
        r"features: expected an array of real numbers, received ndarray of complex128",
    ),
    "sparse attributes": (
        {"att": scipy.sparse.csc_matrix(content()["att"])},
        r"att: expected an array of real numbers, received cs",
    ),
    "NaN in attributes": ({"att": np.full((3, 6), np.nan)}, r"att: expected finite numbers, received nan at \(0, 0\)"),
    "NaN in features": (
        {"features": np.full((5, 24), np.nan)},
        r"features \(image, feature\): expected finite numbers, received nan at \(0, 0\)",
    ),
    "a class without semantics": (
        {"att": np.ones((3, 6)) * (np.arange(6) != 3)},
        r"att: expected semantics of every class, received only zeros for owl",
    ),
    "a label that no class has": (
        {"labels": np.full((24, 1), 9)},
        r"labels: expected 24 labels from 1 to 6, received 24 ",
    ),
    "no features": (
        {"features": None},
        r"res101\.mat: expected variables features, labels, received none named features",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named(tmp_path, name):
    changes, message = BAD[name]
    changes = dict(changes)
    semantics = changes.pop("semantics", "att")
    with pytest.raises(ValueError, match=message):
        read_xlsa17(write(tmp_path / "SET", **changes), semantics=semantics)


def test_axes_of_length_one_are_dropped(tmp_path):
    plain = read_xlsa17(write(tmp_path / "SET"))
    odd = {name: content()[name][:, :, None] for name in ("att", "features", "labels", "val_loc")}
    data = read_xlsa17(write(tmp_path / "ODD", **odd))
    np.testing.assert_array_equal(data.features.x, plain.features.x)
    np.testing.assert_array_equal(data.classes.semantics, plain.classes.semantics)
    assert data.digest == plain.digest


def test_without_names_classes_are_numbered(tmp_path):
    data = read_xlsa17(write(tmp_path / "SET", allclasses_names=None), name="sets/SET")
    assert data.classes.names == tuple(f"class {i}" for i in range(1, 7))
    assert data.name == "sets/SET"


def test_the_datas_digest_tells_features_labels_names_and_semantics_apart(tmp_path):
    values, first = content(), read_xlsa17(write(tmp_path / "SET"))
    assert read_xlsa17(write(tmp_path / "SET")).data_digest == first.data_digest
    for name, changed in {
        "features": values["features"] * (1 + 1e-6 * np.eye(5, 24)),
        "labels": np.where(np.arange(24)[:, None] == 4, 1, values["labels"]),  # another class of the same part
        "att": values["att"] + 0.01 * np.eye(3, 6),
        "allclasses_names": values["allclasses_names"][[1, 0, 2, 3, 4, 5]],
    }.items():
        other = read_xlsa17(write(tmp_path / "SET", **{name: changed}))
        assert other.data_digest != first.data_digest
        assert other.digest == first.digest


def test_a_missing_or_damaged_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"res101\.mat: expected a file of the benchmark's layout, received none"):
        read_xlsa17(tmp_path)
    folder = write(tmp_path / "SET")
    (folder / "res101.mat").write_bytes(b"MATLAB 5.0" + bytes(300))
    with pytest.raises(ValueError, match=r"res101\.mat: expected a MATLAB file, received a damaged one"):
        read_xlsa17(folder)


def test_the_benchmarks_own_layout_in_which_train_and_val_hold_the_seen_test_is_accepted(tmp_path):
    places, labels = np.arange(1, 25), content()["labels"].ravel()
    whole = {"train_loc": places[np.isin(labels, (1, 2))][:, None], "val_loc": places[np.isin(labels, (3, 6))][:, None]}
    data = read_xlsa17(write(tmp_path / "SET", **whole))
    assert sorted([*data.train, *data.val]) == sorted([*data.trainval, *data.test_seen])
    assert sorted([*data.untested("train"), *data.untested("val")]) == sorted(data.trainval)


@pytest.mark.parametrize("name", ["AWA1/att", "AWA2/att", "CUB/sent", "FLO/att", "SUN/att"])
def test_the_published_splits_are_accepted(test_data, tmp_path, name):
    """Their features are not at hand; labels are made up, two classes a part."""
    splits = loadmat(test_data / "xlsa17" / f"{name}_splits.mat")
    rows = {key: splits[f"{key}_loc"].ravel() for key in ("train", "val", "trainval", "test_seen", "test_unseen")}
    assert set(rows["train"]) | set(rows["val"]) == set(rows["trainval"]) | set(rows["test_seen"])
    num_classes = splits["att"].shape[1]
    labels = np.zeros(max(map(np.max, rows.values())), np.int64)
    for start, key in enumerate(("train", "val", "test_unseen")):
        labels[rows[key] - 1] = 2 * start + np.arange(len(rows[key])) % 2
    features = Features(x=np.zeros((len(labels), 1), np.float32), y=labels)
    names, seen = tuple(map(str, range(num_classes))), np.arange(num_classes) < 4
    table = ClassTable(names=names, semantics=splits["att"].T, seen=seen)
    BenchmarkSet(name=name, features=features, classes=table, **{key: values - 1 for key, values in rows.items()})
