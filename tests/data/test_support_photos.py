"""A user's folders of a few photos a class."""

import shutil

import numpy as np
import pytest
from PIL import Image

from zsltf.data.support_photos import SupportSource


@pytest.fixture
def folders(tmp_path):
    """support/ with two classes of 2 and 1 pictures, test/ and base/ with other pictures, all different."""
    rng = np.random.default_rng(0)
    counts = {"support/cat": 2, "support/dog": 1, "test/dog": 2, "base/cow": 2, "base/dog": 2, "base/hen": 1}
    for name, count in counts.items():
        (tmp_path / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return tmp_path


def source(folders, *parts):
    return SupportSource(support=folders / "support", **{part: folders / part for part in parts})


def test_reads_classes_of_unequal_size_and_what_is_beside_them(folders):
    photos = source(folders, "test", "base").read()
    assert photos.classes.names == ("cat", "dog")
    np.testing.assert_array_equal(photos.support.y, [0, 0, 1])
    np.testing.assert_array_equal(photos.test.y, [1, 1])  # rows of the support's table
    assert photos.base.classes.names == ("cow", "hen")
    np.testing.assert_array_equal(photos.base.images.y, [0, 0, 1])
    assert photos.left_out == ("dog",)


def test_one_class_is_refused(folders):
    shutil.rmtree(folders / "support" / "dog")
    with pytest.raises(ValueError, match="a folder for each of two classes or more, received cat"):
        source(folders).read()


def test_a_class_without_a_photo_is_named(folders):
    (folders / "support" / "dog" / "0.png").unlink()
    with pytest.raises(ValueError, match="expected an image in every class folder, received none in dog"):
        source(folders).read()


@pytest.mark.parametrize("part", ["support", "test"])
def test_a_photo_that_does_not_decode_is_named(folders, part):
    (folders / part / "dog" / "0.png").write_bytes(b"no picture")
    with pytest.raises(
        ValueError, match=rf"--{part}: .* received 1 that can't: \S*dog/0\.png: .* Replace or remove them"
    ):
        source(folders, "test").read()


def test_a_test_class_without_support_is_named(folders):
    (folders / "test" / "owl").mkdir()
    with pytest.raises(ValueError, match="--test: expected classes of the support, received also owl"):
        source(folders, "test").read()
    shutil.rmtree(folders / "test")
    with pytest.raises(ValueError, match="test: expected a folder with one folder a class, received no folder"):
        source(folders, "test").read()
    (folders / "test").mkdir()
    with pytest.raises(ValueError, match="--test: expected a folder for one class or more, received none"):
        source(folders, "test").read()


@pytest.mark.parametrize("folder", ["support/cat", "support/dog", "test/dog", "base/cow"])
def test_a_photo_that_is_there_twice_is_refused(folders, folder):
    shutil.copy(folders / "support" / "cat" / "0.png", folders / folder / "copy.png")
    with pytest.raises(
        ValueError, match=r"different photos, received 1 more than once: --support cat/0\.png = --\S* \S*copy\.png"
    ):
        source(folders, "test", "base").read()


def test_base_classes_may_hold_a_photo_twice(folders):
    shutil.copy(folders / "base" / "cow" / "0.png", folders / "base" / "cow" / "copy.png")
    assert len(source(folders, "test", "base").read().base.images) == 4


def test_too_few_base_classes_and_folders_of_parts_are_refused(folders):
    shutil.rmtree(folders / "base" / "hen")
    with pytest.raises(
        ValueError, match="--base: expected two classes or more that are not in the support, received 1"
    ):
        source(folders, "base").read()
    (folders / "parts").mkdir()
    for part in ("train", "test"):
        shutil.copytree(folders / "support", folders / "parts" / part)
    with pytest.raises(
        ValueError, match=r"--support: .* received .*parts, which has parts. Give the folder train in it"
    ):
        SupportSource(support=folders / "parts").read()


@pytest.mark.parametrize("part", ["support", "test", "base"])
def test_an_output_folder_among_the_photos_is_refused(folders, part):
    with pytest.raises(ValueError, match=f"expected a folder outside .*{part}"):
        source(folders, "test", "base").check_apart(folders / part / "out")
