import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tyro
from PIL import Image

from zsltf.data.collection import named_classes
from zsltf.data.image_array import ImageArray
from zsltf.data.labelled import LabelledImages, LabelledSource
from zsltf.data.splits import split_by_fraction

SHAPES = ("circle", "cross", "ring", "square", "star", "triangle")


@pytest.fixture
def folder(tmp_path):
    """Three classes of ten different pictures."""
    rng = np.random.default_rng(0)
    for name in ("ant", "bee", "cat"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(10):
            small = Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8))
            small.resize((64, 64), Image.Resampling.BICUBIC).save(tmp_path / "set" / name / f"{i}.png")
    return tmp_path / "set"


def listed(folder, *, columns="", cells=lambda name, i: ""):
    """A CSV beside the folder that lists its images."""
    rows = [f"set/{name}/{i}.png,{name}{cells(name, i)}" for name in ("ant", "bee", "cat") for i in range(10)]
    path = folder.parent / "list.csv"
    path.write_text("\n".join([f"path,label{columns}", *rows]), "utf-8")
    return str(path)


def counts(found, rows):
    return np.bincount(found.images.y[rows], minlength=len(found.classes)).tolist()


def test_a_folder_is_split_by_fraction(folder):
    (folder / "ant" / "notes.txt").touch()
    found = LabelledSource(data=str(folder), validation=0.1, test=0.3).load()
    assert found.classes.names == ("ant", "bee", "cat")
    assert (counts(found, found.split.train), counts(found, found.split.validation)) == ([6] * 3, [1] * 3)
    assert found.test.names == tuple(found.images.names[row] for row in found.split.test)
    assert (len(found.train), len(found.validation), len(found.test)) == (18, 3, 9)
    assert found.near_duplicates == ()
    assert (found.left_out, found.not_images) == ((), ("ant/notes.txt",))
    assert found.group is found.sample_weight is None
    other = LabelledSource(data=str(folder), validation=0.1, test=0.3, split_seed=1).load()
    assert set(other.split.test) != set(found.split.test)


def test_a_source_of_parts_keeps_them(folder, tmp_path):
    for name in ("ant", "bee", "cat"):
        for i in range(10):
            target = tmp_path / "parts" / ("test" if i < 3 else "train") / name / f"{i}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / name / f"{i}.png", target)
    found = LabelledSource(data=str(tmp_path / "parts"), validation=2 / 7, test=0.5).load()
    assert all(name.startswith("test/") for name in found.test.names)
    assert (len(found.train), len(found.validation), len(found.test)) == (15, 6, 9)
    with pytest.raises(ValueError, match=r"--folds: expected images that are not split yet, received a source with p"):
        LabelledSource(data=str(tmp_path / "parts"), folds=3).load()


def test_each_fold_is_tested_once(folder):
    source = LabelledSource(data=str(folder), folds=5)
    found = [replace(source, fold=fold).load() for fold in range(5)]
    assert sorted(np.concatenate([each.split.test for each in found])) == list(range(30))
    assert all(counts(each, each.split.test) == [2] * 3 for each in found)
    assert all(counts(each, each.split.validation) == [2] * 3 for each in found)


def test_a_csv_brings_groups_and_weights(folder):
    data = listed(folder, columns=",group,weight", cells=lambda name, i: f",patient {i % 5},{i}")
    found = LabelledSource(data=data).load()
    np.testing.assert_array_equal(found.sample_weight, np.tile(np.arange(10), 3))
    patients = [set(found.group[rows]) for rows in (found.split.train, found.split.validation, found.split.test)]
    assert all(patients)
    assert sum(map(len, patients)) == len(set.union(*patients)) == 5
    crossing = listed(folder, columns=",site,split", cells=lambda name, i: f",{i // 2},{'train' if i < 5 else 'test'}")
    LabelledSource(data=crossing).load()
    with pytest.raises(ValueError, match=r"each group in one part, received '2' in train and test\."):
        LabelledSource(data=crossing, group_column="site").load()


def test_a_table_brings_attributes(folder):
    (folder.parent / "table.csv").write_text("class,wings\ncat,0\nbee,1", "utf-8")
    found = LabelledSource(data=str(folder), classes=folder.parent / "table.csv").load()
    assert found.classes.names == ("cat", "bee")
    np.testing.assert_array_equal(found.classes.semantics, [[0], [1]])
    assert len(found.images) == 20
    assert found.left_out == ("ant",)


def test_an_array_file_and_tfds_layout_are_sources(folder, tmp_path, drawn):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3)).astype(np.uint8)
    np.savez(tmp_path / "set.npz", x=pixels, y=np.arange(30) % 3)
    found = LabelledSource(data=str(tmp_path / "set.npz")).load()
    assert counts(found, found.split.train) == [6] * 3
    found = LabelledSource(data=f"tfds:{folder}").load()
    assert len(found.images) == 30


def test_leakage_is_an_error_that_can_be_allowed(folder):
    for i in range(1, 10):  # wherever they fall, a class of copies is in all parts
        shutil.copy(folder / "ant" / "0.png", folder / "ant" / f"{i}.png")
    source = LabelledSource(data=str(folder))
    with pytest.raises(ValueError, match=r"split: expected no image in two parts, received 3 that are: train ant/"):
        source.load()
    with pytest.warns(UserWarning, match="look nearly the same: 28, such as train ant/"):
        found = replace(source, allow_leakage=True).load()
    assert len(found.near_duplicates) == 6 * 2 + 6 * 2 + 2 * 2
    assert replace(source, allow_leakage=True, find_near_duplicates=False).load().near_duplicates == ()


def test_a_broken_file_is_passed_over_or_an_error(folder):
    (folder / "bee" / "4.png").write_bytes(b"no image")
    source = LabelledSource(data=str(folder))
    assert len(source.load().images) == 30
    with pytest.raises(ValueError, match=r"images: expected files that can be decoded, received 1 that .*bee/4\.png"):
        replace(source, on_corrupt="error").load()


def test_near_duplicates_are_listed_or_kept_on_one_side(folder):
    for name in ("ant", "bee", "cat"):
        for i in range(5):
            Image.open(folder / name / f"{i}.png").save(folder / name / f"{5 + i}.jpg", quality=90)
            (folder / name / f"{5 + i}.png").unlink()
    source = LabelledSource(data=str(folder))
    found = source.load()
    assert found.near_duplicates
    for pair in found.near_duplicates:
        (_, first), (_, second) = pair.first.split(), pair.second.split()
        assert Path(first).parent == Path(second).parent
        assert abs(int(Path(first).stem) - int(Path(second).stem)) == 5
    apart = replace(source, group_duplicates=True).load()
    assert apart.near_duplicates == ()
    assert len(np.unique(apart.group)) == 15


@pytest.mark.parametrize(("drawn_as", "names"), [("shapes", SHAPES), ("combinations", None)])
def test_without_data_pictures_are_drawn(drawn, monkeypatch, tmp_path, drawn_as, names):
    monkeypatch.setenv("ZSLTF_CACHE", str(tmp_path))
    shutil.copytree(drawn, tmp_path / "drawn" / "v1-seed-0")
    found = LabelledSource(drawn=drawn_as).load()
    if names is None:
        assert len(found.classes) == 18
        assert found.classes.seen.all()
        assert found.classes.semantics.shape == (18, 17)
        assert len(found.unseen.images) == 6 * 5
    else:
        assert found.classes.names == names
    for name, label in zip(found.images.names, found.images.y, strict=True):
        assert name.split("/")[0].endswith(found.classes.names[label])
    assert len(found.images) == len(found.classes) * 5 * (1 if names is None else 4)


@pytest.fixture
def table(folder):
    """Of the three classes, bee is unseen; so is dog, of which there are no photos."""
    path = folder.parent / "table.csv"
    path.write_text("class,split,wings,legs\nant,seen,0,6\nbee,unseen,1,6\ncat,seen,0,4\ndog,unseen,0,4", "utf-8")
    return path


@pytest.mark.parametrize("kind", ["folder", "csv"])
def test_images_of_unseen_classes_are_kept_apart(folder, table, kind):
    data = str(folder) if kind == "folder" else listed(folder, columns=",group", cells=lambda name, i: f",{name}{i}")
    found = LabelledSource(data=data, classes=table).load()
    assert found.classes.names == ("ant", "cat")
    assert (len(found.train), len(found.validation), len(found.test)) == (12, 4, 4)
    for images, classes in ((found.images, found.classes), (found.unseen.images, found.unseen.classes)):
        assert [Path(name).parent.name for name in images.names] == [classes.names[label] for label in images.y]
    assert set(found.unseen.images.y) == {0}
    assert found.unseen.classes.names[0] == "bee"
    np.testing.assert_array_equal(found.unseen.classes.semantics[0], [1, 6])
    assert not found.unseen.classes.seen.any()


def test_unseen_classes_with_several_labels_an_image_are_refused(folder, table):
    data = listed(folder, cells=lambda name, i: ";cat" if name == "ant" and not i else "")
    with pytest.raises(ValueError, match=r"class table: expected seen classes only with several labels an image, rec"):
        LabelledSource(data=data, classes=table).load()


def test_a_table_without_seen_classes_is_refused(folder, table):
    table.write_text("class,split,wings\nant,unseen,0\nbee,unseen,1", "utf-8")
    with pytest.raises(ValueError, match=r"class table: expected seen classes, received none\. Mark some as seen\."):
        LabelledSource(data=str(folder), classes=table).load()


def test_images_of_ones_own_are_checked_at_the_door():
    y = np.repeat(np.arange(3), 5)
    pixels = np.zeros((15, 8, 8, 3), np.uint8)
    split = split_by_fraction(y)
    fine = LabelledImages(images=ImageArray(pixels=pixels, y=y), classes=named_classes("abc"), split=split)
    assert (len(fine.train), len(fine.validation), len(fine.test)) == (9, 3, 3)
    several = ImageArray(pixels=pixels, y=np.eye(3, dtype=np.float32)[y])
    assert len(replace(fine, images=several).train) == 9
    with pytest.raises(ValueError, match=r"labels: expected rows 0 to 1 of the ClassTable, received 2 for image 10"):
        replace(fine, classes=named_classes("ab"))
    with pytest.raises(ValueError, match=r"labels: expected multi-hot \(N, 2\), received shape \(15, 3\)"):
        replace(fine, images=several, classes=named_classes("ab"))
    with pytest.raises(ValueError, match=r"split train: expected an image of every class, received none of d\."):
        replace(fine, classes=named_classes("abcd"))
    with pytest.raises(
        ValueError, match=r"LabelledImages\.classes: expected seen classes only, received unseen ones\."
    ):
        replace(fine, classes=fine.classes.with_seen(np.array([True, True, False])))
    with pytest.raises(ValueError, match=r"each group in one part"):
        replace(fine, group=np.zeros(15))
    for weight in (np.zeros(15), np.full(15, -1), np.full(15, np.nan), np.ones(14)):
        with pytest.raises(ValueError, match=r"^sample_weight: expected "):
            replace(fine, sample_weight=weight)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": 1.0}, r"data\.validation: expected a share in \[0, 1\)"),
        ({"test": -0.1}, r"data\.test: expected a share in \[0, 1\)"),
        ({"folds": 1}, r"folds: expected 0, or 2 or more, received 1"),
        ({"fold": 1}, r"fold: expected a number from 0 to 0, received 1\. Give --folds"),
        ({"folds": 5, "fold": 5}, r"fold: expected a number from 0 to 4, received 5"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LabelledSource(**options)


def test_options_that_a_source_can_not_honour_are_refused(folder, tmp_path):
    with pytest.raises(ValueError, match=r"--group-column: expected --data of a CSV, received .*set"):
        LabelledSource(data=str(folder), group_column="site").load()
    with pytest.raises(ValueError, match=r"--classes: expected --data of a folder or a CSV, received x\.npz"):
        LabelledSource(data="x.npz", classes=tmp_path / "table.csv").load()
    with pytest.raises(ValueError, match=r"--classes: expected --data of a folder or a CSV, received tfds:mnist"):
        LabelledSource(data="tfds:mnist", classes=tmp_path / "table.csv").load()
    with pytest.raises(ValueError, match=r"--data: expected images for --group-column, received drawn pictures"):
        LabelledSource(group_column="site").load()
    with pytest.raises(ValueError, match=r"--data: expected images for --classes, received drawn pictures"):
        LabelledSource(classes=tmp_path / "table.csv").load()
    grouped = listed(folder, columns=",group", cells=lambda name, i: f",{i}")
    with pytest.raises(ValueError, match=r"--group-duplicates: expected images without groups and parts"):
        LabelledSource(data=grouped, group_duplicates=True).load()
    with pytest.raises(ValueError, match=r"nowhere: expected a folder with one folder a class, received no folder"):
        LabelledSource(data=str(tmp_path / "nowhere")).load()


def test_a_run_is_not_written_among_the_images(folder):
    source = LabelledSource(data=str(folder))
    source.check_apart(folder.parent / "run")
    LabelledSource().check_apart(folder / "run")
    with pytest.raises(ValueError, match=r"out: expected a folder outside --data"):
        source.check_apart(folder / "ant" / "run")


def test_every_option_is_on_the_command_line():
    arguments = "--data x.csv --validation 0.1 --test 0 --folds 5 --fold 2 --group-column site --allow-leakage"
    source = tyro.cli(LabelledSource, args=shlex.split(arguments))
    assert source == LabelledSource(
        data="x.csv", validation=0.1, test=0.0, folds=5, fold=2, group_column="site", allow_leakage=True
    )
