import numpy as np
import pytest
import tensorflow_datasets as tfds

from zsltf.data.tfds import read_tfds, unpack

NAMES = ["zebra", "ant", "cat"]  # not in alphabetical order: TFDS numbers them as they are listed
SINGLE = {
    "image": tfds.features.Image(shape=(None, None, 3)),
    "label": tfds.features.ClassLabel(names=NAMES),
    "id": tfds.features.Text(),
}


def builder(folder, features, splits, keys=("image", "label"), of_class="Animals", form="tfrecord"):
    """A data set that TFDS has prepared below the folder: split -> examples."""

    def info(self):
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features), supervised_keys=keys)

    def split_generators(self, _):
        return {split: iter(enumerate(examples)) for split, examples in splits.items()}

    content = {"VERSION": tfds.core.Version("1.2.0"), "_info": info, "_split_generators": split_generators}
    with tfds.core.registered.skip_registration():
        made = type(of_class, (tfds.core.GeneratorBasedBuilder,), content | {"_generate_examples": None})
    prepared = made(data_dir=folder)
    prepared.download_and_prepare(file_format=form)
    return prepared


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    tfds.disable_progress_bar()


def pictures(count, start=0):
    rng = np.random.default_rng(start)
    return [
        {"image": rng.integers(0, 256, (5, 6, 3)).astype(np.uint8), "label": (start + i) % 3, "id": f"{start + i}"}
        for i in range(count)
    ]


@pytest.fixture
def animals(tmp_path):
    unlabelled = [{**pictures(1, 50)[0], "label": -1}]
    splits = {"train": pictures(7), "test": pictures(3, 20) + unlabelled, "extra": pictures(2, 40)}
    return builder(tmp_path / "tfds", SINGLE, splits)


def test_a_directory_is_unpacked_into_files_that_hold_the_same_pixels_and_labels(animals, tmp_path):
    """TFDS's own decoding is the independent route."""
    for name in (animals.data_dir, tmp_path / "tfds"):
        found = read_tfds(str(name), cache=tmp_path / "cache")
        assert found.classes.names == tuple(NAMES)
        assert found.parts == ("train",) * 7 + ("test",) * 3
        examples = [e for split in ("train", "test") for e in tfds.as_numpy(animals.as_dataset(split=split))]
        labelled = [example for example in examples if example["label"] >= 0]
        for i, example in enumerate(labelled):
            np.testing.assert_array_equal(found.images.load(i, 8), example["image"])
            assert found.images.y[i] == example["label"]
        assert len(found.images) == len(labelled) == 10
        assert found.left_out[0] == "split extra"
        assert found.left_out[1].startswith("test 0000/")
        assert found.left_out[1].endswith(", which has no label")
        assert all(name.startswith("animals/1.2.0/t") and name.endswith(".png") for name in found.images.names)


@pytest.mark.parametrize("form", ["array_record", "parquet"])
def test_other_file_formats_give_the_same(tmp_path, form):
    wanted, found = (
        unpack(builder(tmp_path / n, SINGLE, {"train": pictures(7)}, form=n), cache=tmp_path / "cache")
        for n in ("tfrecord", form)
    )
    for i in range(7):
        np.testing.assert_array_equal(found.images.load(i, 8), wanted.images.load(i, 8))
    np.testing.assert_array_equal(found.images.y, wanted.images.y)


def test_files_are_written_once_and_again_when_they_are_damaged(animals, tmp_path, monkeypatch):
    found = unpack(animals, cache=tmp_path / "cache")
    read = []
    as_dataset = animals.as_dataset
    monkeypatch.setattr(animals, "as_dataset", lambda **options: read.append(options["split"]) or as_dataset(**options))
    again = unpack(animals, cache=tmp_path / "cache")
    assert read == []
    digests = [again.images.digest(i) for i in range(10)]
    assert again.images.signature() == found.images.signature()
    first, last = (found.images.root / found.images.paths[i] for i in (0, -1))
    first.unlink()
    (last.parents[1] / "labels.json").write_text("[1", "utf-8")
    healed = unpack(animals, cache=tmp_path / "cache")
    assert read == ["train", "test"]
    assert healed.images.names == found.images.names
    assert [healed.images.digest(i) for i in range(10)] == digests


def test_other_content_under_the_same_name_and_version_is_unpacked_anew(tmp_path):
    found = [
        unpack(builder(tmp_path / f"{n}", SINGLE, {"train": pictures(4, n)}), cache=tmp_path / "cache") for n in (1, 2)
    ]
    assert found[0].images.names != found[1].images.names
    assert (found[0].images.load(0, 8) != found[1].images.load(0, 8)).any()


def test_a_set_of_one_split_is_not_split_yet(tmp_path):
    features = {"x": tfds.features.Image(shape=(5, 6, 1)), "y": tfds.features.ClassLabel(num_classes=3)}
    examples = [{"x": e["image"][..., :1], "y": e["label"]} for e in pictures(4)]
    found = unpack(builder(tmp_path, features, {"full": examples}, ("x", "y")), cache=tmp_path / "cache")
    assert found.parts is None
    assert found.classes.names == ("0", "1", "2")
    assert sorted(found.images.y) == [0, 0, 1, 2]
    pixels = found.images.load(0, 8)
    assert any((pixels == example["x"]).all() for example in examples)


def test_a_name_is_looked_up_by_tfds(animals, tmp_path, monkeypatch):
    monkeypatch.setattr(tfds, "builder", {"animals:1.2.0": animals}.__getitem__)
    monkeypatch.setenv("ZSLTF_CACHE", str(tmp_path / "home"))
    found = read_tfds("animals:1.2.0")
    assert found.images.root == tmp_path / "home" / "tfds"
    assert len(found.images) == 10


def test_the_layout_of_image_folder_is_read_in_place(drawn):
    found = read_tfds(str(drawn / "images"))
    assert found.images.root == drawn / "images"
    assert len(found.images) == 24 * 5


def test_an_unknown_name_lists_near_misses():
    with pytest.raises(
        ValueError, match=r"tfds: expected the name of a TFDS data set.*'mnits' \(.*\)\. Did you mean .*mnist"
    ):
        read_tfds("mnits")
    with pytest.raises(ValueError, match=r"received './no/such/folder' \(.*\)\. See the names in tfds\.list_builders"):
        read_tfds("./no/such/folder")
    with pytest.raises(ValueError, match=r"received 'mnist:9\.9\.9' \(.*\)\. Did you mean mnist"):
        read_tfds("mnist:9.9.9")


def test_two_versions_in_a_directory_are_a_question(animals, tmp_path):
    builder(tmp_path / "tfds", SINGLE, {"train": pictures(3)}, of_class="Birds")
    with pytest.raises(
        ValueError, match=r"expected one prepared data set, received .*animals/1\.2\.0, .*birds/1\.2\.0"
    ):
        read_tfds(str(tmp_path / "tfds"))


@pytest.mark.parametrize(
    ("features", "example"),
    [
        ({"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=2)}, {"text": "a", "label": 0}),
        (
            {"image": tfds.features.Image(), "caption": tfds.features.Text()},
            {"image": np.zeros((2, 2, 3), np.uint8), "caption": ""},
        ),
        (
            {"image": tfds.features.Image(), "label": tfds.features.Sequence(tfds.features.ClassLabel(num_classes=2))},
            {"image": np.zeros((2, 2, 3), np.uint8), "label": [0]},
        ),
        (
            {
                "image": tfds.features.Image(shape=(2, 2, 1), dtype=np.float32),
                "label": tfds.features.ClassLabel(num_classes=2),
            },
            {"image": np.zeros((2, 2, 1), np.float32), "label": 0},
        ),
    ],
)
def test_what_is_no_image_classification_is_refused(tmp_path, features, example):
    other = builder(tmp_path, features, {"train": [example]}, keys=tuple(features))
    listed = ", ".join(f"{key} ({type(feature).__name__})" for key, feature in features.items())
    with pytest.raises(
        ValueError, match=r"animals/1\.2\.0: expected 8-bit images with one label each, received "
    ) as error:
        unpack(other, cache=tmp_path / "cache")
    assert listed in str(error.value)
    assert not (tmp_path / "cache").exists()


def test_a_set_without_training_images_is_refused(tmp_path):
    other = builder(tmp_path, SINGLE, {"test": pictures(3), "extra": pictures(3)})
    with pytest.raises(
        ValueError, match=r"animals/1\.2\.0: expected a split train, received (test, extra|extra, test)\."
    ):
        unpack(other, cache=tmp_path / "cache")


def test_of_omniglots_two_labels_the_character_is_the_class(tmp_path):
    """The features and splits of TFDS's `omniglot`, which can't be downloaded in a test."""
    features = {
        "image": tfds.features.Image(shape=(105, 105, 3), encoding_format="png"),
        "alphabet": tfds.features.ClassLabel(names=["Greek", "Latin"]),
        "alphabet_char_id": np.int64,
        "label": tfds.features.ClassLabel(names=["alpha", "beta", "a"]),
    }
    assert features.keys() == tfds.builder_cls("omniglot")(data_dir=tmp_path / "none").info.features.keys()
    drawn = [
        {"image": np.full((105, 105, 3), 80 * i, np.uint8), "alphabet": i // 2, "alphabet_char_id": i % 2, "label": i}
        for i in range(3)
    ]
    splits = {"train": drawn[:2], "test": drawn[2:], "small1": drawn[:1], "small2": drawn[2:]}
    found = unpack(builder(tmp_path / "tfds", features, splits), cache=tmp_path / "cache")
    assert found.classes.names == ("alpha", "beta", "a")
    assert found.parts == ("train", "train", "test")
    assert found.left_out == ("split small1", "split small2")
    assert [int(found.images.load(i, 28).mean()) for i in range(3)] == [80 * row for row in found.images.y]
