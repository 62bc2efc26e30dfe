import numpy as np
import pytest

from zsltf.data.make_splits import make_splits
from zsltf.data.xlsa17 import read_xlsa17


def test_what_is_written_is_read_back(toy_features, tmp_path):
    features, classes = toy_features
    paths = tuple(f"{label}/{number}.jpg" for number, label in enumerate(features.y))
    make_splits(tmp_path, type(features)(x=features.x, y=features.y, paths=paths), classes)
    data = read_xlsa17(tmp_path, semantics="original_att")
    np.testing.assert_array_equal(data.features.x, features.x)
    np.testing.assert_array_equal(data.features.y, features.y)
    np.testing.assert_array_equal(data.classes.semantics, classes.semantics)
    np.testing.assert_array_equal(data.classes.seen, classes.seen)
    assert (data.classes.names, data.features.paths) == (classes.names, paths)
    lengths = np.linalg.norm(read_xlsa17(tmp_path).classes.semantics, axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-6)


def test_the_parts_are_as_the_benchmark_has_them(toy_features, tmp_path):
    features, classes = toy_features
    make_splits(tmp_path, features, classes)
    data = read_xlsa17(tmp_path)
    assert len(np.unique(data.labels("val"))) == 4  # a third of 12; train is disjoint, or reading would fail
    assert np.bincount(data.labels("test_seen"), minlength=16).tolist() == [2] * 12 + [0] * 4
    assert np.bincount(data.labels("trainval"), minlength=16).tolist() == [8] * 12 + [0] * 4
    assert set(data.labels("test_unseen")) == {12, 13, 14, 15}
    assert sorted([*data.trainval, *data.test_seen, *data.test_unseen]) == list(range(160))
    assert sorted([*data.train, *data.val]) == sorted(data.trainval)  # no tested image


def test_the_seed_decides_and_reproduces(toy_features, tmp_path):
    digests = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        (tmp_path / name).mkdir()
        make_splits(tmp_path / name, *toy_features, seed=seed)
        digests.append(read_xlsa17(tmp_path / name).digest)
    assert digests[0] == digests[1] != digests[2]


def test_too_few_classes_are_refused(toy_features, tmp_path):
    features, classes = toy_features
    for seen in (3, 15):
        with pytest.raises(ValueError, match=f"at least 4 seen and 2 unseen ones, received {seen} seen"):
            make_splits(tmp_path, features, classes.with_seen(np.arange(16) < seen))
    assert not list(tmp_path.iterdir())


def test_two_classes_validate_at_least_and_a_class_has_images_for_every_part(toy_features, tmp_path):
    features, classes = toy_features
    make_splits(tmp_path, features, classes, val_share=0.0)
    assert len(np.unique(read_xlsa17(tmp_path).labels("val"))) == 2
    few = features.select(~((features.y == 1) & (np.arange(160) % 10 > 1)))
    with pytest.raises(ValueError, match=rf"at least 3 of a seen class, received {classes.names[1]} \(2\)"):
        make_splits(tmp_path, few, classes)


def test_text_stands_in_a_file_of_its_own_under_the_same_splits(toy_features, tmp_path):
    features, classes = toy_features
    text = classes.with_semantics(np.random.default_rng(0).normal(size=(16, 8)).astype(np.float32))
    make_splits(tmp_path, features, classes, sentences=text)
    attributes, sentences = (read_xlsa17(tmp_path, semantics=kind) for kind in ("att", "sentences"))
    directions = text.semantics / np.linalg.norm(text.semantics, axis=1, keepdims=True)
    np.testing.assert_allclose(sentences.classes.semantics, directions, rtol=1e-6)
    assert sentences.digest == attributes.digest
    assert sentences.classes.names == classes.names


def test_text_about_other_classes_is_refused_before_anything_is_written(toy_features, tmp_path):
    features, classes = toy_features
    with pytest.raises(ValueError, match=f"the same classes in the same order, received {classes.names[15]}, "):
        make_splits(tmp_path, features, classes, sentences=classes.select(np.arange(16)[::-1]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("known", [None, (), ("class 12", "class 15")])
def test_what_the_backbone_knew_is_written_and_read(toy_features, tmp_path, known):
    make_splits(tmp_path, *toy_features, known_to_backbone=known)
    assert read_xlsa17(tmp_path).known_to_backbone == known
