"""Folders of images without labels."""

import shutil

import pytest

from zsltf.data.folder_images import read_folder
from zsltf.data.unlabelled_images import UnlabelledSource, read_unlabelled, shared_images


def test_every_image_below_is_read_whatever_its_folder(drawn):
    images = read_unlabelled(drawn)
    assert len(images) == 24 * 5
    assert set(images.y) == {0}
    assert images.not_images == ("attributes.csv",)


def test_shared_images_are_counted_by_their_bytes(drawn, tmp_path):
    source = sorted((drawn / "images").rglob("*.png"))
    for number, path in enumerate(source[:3]):
        shutil.copy(path, tmp_path / f"{number}.png")
    assert shared_images(read_folder(drawn / "images").images, read_unlabelled(tmp_path)) == 3


def test_what_is_no_folder_of_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a folder of images, received no folder"):
        read_unlabelled(tmp_path / "none")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(ValueError, match="expected two images or more, received 0"):
        read_unlabelled(tmp_path)
    with pytest.raises(ValueError, match="expected a folder outside --unlabelled"):
        UnlabelledSource(unlabelled=tmp_path).check_apart(tmp_path / "run")
    assert UnlabelledSource().load() is None
