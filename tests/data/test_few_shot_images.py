"""Layouts of few-shot benchmarks, and how a plain folder's classes are parted."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from zsltf.data.few_shot_images import FewShotSource
from zsltf.data.few_shot_layouts import ClassParts

RNG = np.random.default_rng(0)
COUNTS = {"ant": 2, "bee": 3, "cat": 2, "dog": 4, "elk": 2, "fox": 1}
PARTS = {"train": ("dog", "ant"), "val": ("elk", "fox"), "test": ("bee", "cat")}


def draw(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path)


def draw_classes(folder, names):
    for name in names:
        for number in range(COUNTS[name]):
            draw(folder / name / f"{number}.png")


@pytest.fixture
def folders(tmp_path):
    for part, names in PARTS.items():
        draw_classes(tmp_path / part, names)
    return tmp_path


@pytest.fixture
def lists(tmp_path):
    for part, names in PARTS.items():
        files = [(f"{name}{number}.png", name) for name in names for number in range(COUNTS[name])]
        for file, _ in files:
            draw(tmp_path / "images" / file)
        lines = "".join(f"{file},{name}\n" for file, name in files)
        (tmp_path / f"{part}.csv").write_text("filename,label\n" + lines)
    return tmp_path


@pytest.fixture
def cifar(tmp_path):
    draw_classes(tmp_path / "cifar100" / "data", COUNTS)
    splits = tmp_path / "cifar100" / "splits" / "bertinetto"
    splits.mkdir(parents=True)
    for part, names in PARTS.items():
        (splits / f"{part}.txt").write_text("\n".join(names) + "\n")
    return tmp_path


@pytest.fixture
def plain(tmp_path):
    draw_classes(tmp_path, COUNTS)
    return tmp_path


def told(found):
    """Role -> class -> files, as they are read."""
    names, images = found.collection.classes.names, found.collection.images
    files = {name: sorted(np.array(images.names)[images.y == row]) for row, name in enumerate(names)}
    roles = {role: [names[row] for row in getattr(found.parts, role)] for role in ("base", "validation", "novel")}
    return {role: {name: files[name] for name in sorted(listed)} for role, listed in roles.items()}


@pytest.mark.parametrize(
    ("layout", "pattern"),
    [("folders", "{part}/{name}/{i}.png"), ("lists", "{name}{i}.png"), ("cifar", "{name}/{i}.png")],
)
def test_a_benchmarks_layout_says_its_parts(layout, pattern, request):
    found = FewShotSource(data=request.getfixturevalue(layout)).load()
    roles = dict(zip(PARTS, ("base", "validation", "novel"), strict=True))
    assert told(found) == {
        roles[part]: {
            name: [pattern.format(part=part, name=name, i=i) for i in range(COUNTS[name])] for name in sorted(names)
        }
        for part, names in PARTS.items()
    }
    assert found.counts() == {"base": (2, 6), "validation": (2, 3), "novel": (2, 5)}
    for row in range(len(found.collection.images)):
        assert found.collection.images.load(row, 4).shape == (4, 4, 3)


def test_the_folder_of_cifar_itself_will_do(cifar):
    assert told(FewShotSource(data=cifar / "cifar100").load()) == told(FewShotSource(data=cifar).load())


def test_base_0_keeps_a_benchmarks_test_classes_alone(folders):
    found = FewShotSource(data=folders, base=0).load()
    assert found.counts() == {"novel": (2, 5)}
    with pytest.raises(ValueError, match=r"expected no further parts, received some\. It has its own"):
        FewShotSource(data=folders, base=1).load()


def test_a_plain_folder_is_parted_by_numbers_and_a_seed(plain):
    def names(**options):
        return {role: list(classes) for role, classes in told(FewShotSource(data=plain, **options).load()).items()}

    found = names(base=2, validation=1)
    assert {role: len(listed) for role, listed in found.items()} == {"base": 2, "validation": 1, "novel": 3}
    assert sorted(name for listed in found.values() for name in listed) == sorted(COUNTS)
    assert names(base=2, validation=1) == found
    assert any(names(base=2, validation=1, split_seed=seed) != found for seed in range(1, 4))
    assert len(names()["base"]) == 3
    assert names(base=0) == {"base": [], "validation": [], "novel": sorted(COUNTS)}
    with pytest.raises(ValueError, match="two classes or more left to test on, received 4 and 1 of 6"):
        names(base=4, validation=1)


def test_a_table_says_the_parts(plain, tmp_path):
    table = tmp_path / "parts.csv"
    table.write_text("class,part\ndog,train\nelk,val\nbee,Novel\ncat,test\n")
    found = FewShotSource(data=plain, parts=table).load()
    assert {role: list(classes) for role, classes in told(found).items()} == {
        "base": ["dog"],
        "validation": ["elk"],
        "novel": ["bee", "cat"],
    }
    with pytest.raises(ValueError, match="no numbers of classes beside it"):
        FewShotSource(data=plain, parts=table, base=2).load()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("dog,train\ndog,test\n", "line 3: expected each class once, received dog again"),
        ("dog,trian\n", "line 2, column part: expected one of .*, received 'trian'. Did you mean 'train'"),
        ("dgo,train\n", "line 2, column class: expected one of .*, received 'dgo'. Did you mean 'dog'"),
        ("dog,train\ncat,novel\n", "novel classes: expected 2 or more to tell apart, received 1"),
    ],
)
def test_a_table_that_says_nonsense_is_refused(plain, tmp_path, lines, message):
    (tmp_path / "parts.csv").write_text("class,part\n" + lines)
    with pytest.raises(ValueError, match=message):
        FewShotSource(data=plain, parts=tmp_path / "parts.csv").load()


def test_a_class_in_two_parts_is_named(folders):
    draw(folders / "test" / "dog" / "9.png")
    with pytest.raises(
        ValueError, match=r"each class in one part, received dog in base and novel\. Classes to test on"
    ):
        FewShotSource(data=folders).load()


def test_a_list_whose_files_are_missing_is_refused(lists):
    (lists / "images" / "bee0.png").unlink()
    with pytest.raises(ValueError, match=r"the files of its lists in images/, received 1 of none, bee0\.png first"):
        FewShotSource(data=lists).load()


def test_a_file_that_is_listed_twice_is_refused(lists):
    (lists / "val.csv").write_text((lists / "val.csv").read_text() + "ant0.png,hound\n")
    with pytest.raises(ValueError, match=r"each file once in all lists, received (\S+) in \w+\.csv, line \d+ and \w+"):
        FewShotSource(data=lists).load()


def test_a_recipes_number_of_validation_classes_is_not_for_data_that_say_it(folders):
    assert FewShotSource(data=folders).load(1).counts()["validation"] == (2, 3)


def test_a_recipes_number_of_validation_classes_stands_where_nothing_says_it(plain):
    assert len(FewShotSource(data=plain, base=2).load(1).parts.validation) == 1
    assert not len(FewShotSource(data=plain, base=2, validation=0).load(1).parts.validation)


def test_a_split_that_names_no_class_is_refused(cifar):
    (cifar / "cifar100" / "splits" / "bertinetto" / "val.txt").write_text("eel\n")
    with pytest.raises(ValueError, match=r"class: expected one of .*, received 'eel'\. Did you mean 'elk'"):
        FewShotSource(data=cifar).load()


def test_parts_check_themselves():
    with pytest.raises(ValueError, match="each class in one part, received row 2 in base and novel"):
        ClassParts(base=np.array([1, 2]), validation=np.array([], int), novel=np.array([2, 3]))


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a folder of images, received no folder"):
        FewShotSource(data=tmp_path / "none").load()
    with pytest.raises(ValueError, match="0 classes or more"):
        FewShotSource(validation=-1)


def test_a_photo_of_two_classes_is_listed_with_what_each_is_for(plain):
    shutil.copy(plain / "ant" / "0.png", plain / "bee" / "copy.png")
    shutil.copy(plain / "ant" / "1.png", plain / "ant" / "copy.png")
    (plain / "parts.csv").write_text("class,part\nant,base\nbee,novel\ncat,novel\n")
    source = FewShotSource(data=plain, parts=plain / "parts.csv")
    with pytest.warns(UserWarning, match="look nearly the same: 1, such as train ant/0.png = test bee/copy.png"):
        (pair,) = source.load().near_duplicates
    assert pair.distance == 0
    assert replace(source, find_near_duplicates=False).load().near_duplicates == ()
