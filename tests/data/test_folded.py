"""Images dealt into folds: what is tested is never trained on, and what is in no fold is in none."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from zsltf.data.folded import load_folds
from zsltf.data.labelled import LabelledSource

CLASSES = ("circle", "ring", "star")
SOURCE = LabelledSource(folds=3, validation=0.0, test=0.0)


def noise(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def photos(tmp_path):
    """8 noisy pictures of each of 3 classes."""
    root = tmp_path / "photos"
    for number in range(24):
        noise(root / CLASSES[number % 3] / f"{number}.png", number)
    return root


@pytest.fixture
def table(photos, tmp_path):
    """Writes a CSV of the pictures with further columns, each a function of the number of its line."""

    def write(**columns):
        path = tmp_path / "table.csv"
        files = sorted(photos.glob("*/*.png"), key=lambda file: int(file.stem))
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "label", *columns])
            for i, photo in enumerate(files):
                writer.writerow([photo, photo.parent.name, *(column(i) for column in columns.values())])
        return replace(SOURCE, data=str(path))

    return write


def check_folds(folded, dealt):
    """The folds are these rows, each once, and every fold's parts are apart and hold all classes."""
    assert sorted(np.concatenate([split.test for split in folded.splits])) == sorted(dealt)
    for number, split in enumerate(folded.splits):
        assert sorted(np.concatenate([split.train, split.validation, split.test])) == sorted(dealt)
        fold = folded.fold(number)
        for part in (fold.train, fold.test):
            assert set(part.y) == {0, 1, 2}


def test_each_image_is_tested_once(photos):
    folded = load_folds(replace(SOURCE, data=str(photos)))
    assert len(folded) == 3
    check_folds(folded, range(24))
    assert {name: len(rows) for name, rows in folded.parts().items()} == {"fold 0": 8, "fold 1": 8, "fold 2": 8}
    assert list(folded.labelled.split.parts()) == ["train"]


def test_the_test_part_is_in_no_fold(photos):
    folded = load_folds(replace(SOURCE, data=str(photos), test=0.25, validation=0.25))
    labelled = folded.labelled
    held = labelled.split.test
    assert len(held) == 6
    rest = np.setdiff1d(np.arange(24), held)
    check_folds(folded, rest)
    assert sorted(np.concatenate([labelled.split.train, labelled.split.validation])) == rest.tolist()
    assert all(len(split.validation) for split in folded.splits)
    assert len(labelled.split.validation)
    np.testing.assert_array_equal(folded.parts()["test"], held)


def test_a_test_part_of_the_sources_own_stays_and_its_validation_part_is_dealt(table):
    folded = load_folds(table(split=lambda i: "test" if i < 6 else "val" if i < 12 else "train"))
    np.testing.assert_array_equal(folded.labelled.split.test, np.arange(6))
    check_folds(folded, range(6, 24))


@pytest.mark.parametrize("stratified", [True, False])
def test_a_group_is_in_one_part_alone(table, stratified):
    source = replace(table(group=lambda i: f"site {i // 2}"), test=0.25, validation=0.2)
    folded = load_folds(source, stratified=stratified)
    group = np.array([f"site {i // 2}" for i in range(24)])
    for split in (*folded.splits, folded.labelled.split):
        parts = list(split.parts().values())
        assert sum(len(set(group[rows])) for rows in parts) == len(set(group[np.concatenate(parts)]))
    parts = list(folded.parts().values())
    assert sum(len(set(group[rows])) for rows in parts) == 12


def test_weights_go_with_their_images(table):
    folded = load_folds(table(weight=lambda i: i + 1))
    np.testing.assert_array_equal(folded.fold(1).sample_weight, np.arange(24) + 1.0)


def test_a_copy_in_another_fold_is_refused_and_a_similar_picture_listed(photos):
    source = replace(SOURCE, data=str(photos), split_seed=1)
    rows = load_folds(source).parts()
    names = load_folds(source).labelled.images.names
    assert not load_folds(source).labelled.near_duplicates
    first = next(names[row] for row in rows["fold 0"] if names[row].startswith("circle"))
    second = next(names[row] for row in rows["fold 2"] if names[row].startswith("circle"))
    with Image.open(photos / first) as image:
        image.resize((64, 64)).save(photos / second)
    (pair,) = load_folds(source).labelled.near_duplicates
    assert (pair.first, pair.second) == (f"fold 0 {first}", f"fold 2 {second}")
    shutil.copy(photos / first, photos / second)
    with pytest.raises(ValueError, match=rf"in two parts, .*fold 0 {first} = fold 2 {second}"):
        load_folds(source)
    load_folds(replace(source, allow_leakage=True))


def test_near_duplicates_can_be_kept_in_one_fold(photos):
    for number in range(6):
        name = CLASSES[number % 3]
        with Image.open(photos / name / f"{number}.png") as image:
            image.resize((64, 64)).save(photos / name / f"again{number}.png")
    source = replace(SOURCE, data=str(photos))
    assert load_folds(source).labelled.near_duplicates
    assert not load_folds(replace(source, group_duplicates=True)).labelled.near_duplicates


def test_unseen_classes_are_in_no_fold(photos, tmp_path):
    classes = tmp_path / "classes.csv"
    classes.write_text("class,split,round\ncircle,seen,1\nring,unseen,1\nstar,seen,0\n")
    folded = load_folds(replace(SOURCE, data=str(photos), classes=classes))
    assert folded.labelled.classes.names == ("circle", "star")
    assert {name.split("/")[0] for name in folded.labelled.images.names} == {"circle", "star"}
    assert set(folded.labelled.unseen.images.y) == {0}
    assert folded.fold(0).unseen is None


def test_one_fold_cannot_be_chosen_and_no_folds_are_none(photos):
    source = replace(SOURCE, data=str(photos))
    with pytest.raises(ValueError, match=r"--fold: expected 0, since every fold is tested in turn, received 2\. Leave"):
        load_folds(replace(source, fold=2))
    with pytest.raises(ValueError, match=r"folds: expected 2 or more, received 0"):
        load_folds(replace(source, folds=0))
