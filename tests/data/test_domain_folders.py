"""The same classes in several domains."""

import shutil

import numpy as np
import pytest
from PIL import Image

from zsltf.data.domain_folders import read_domains


@pytest.fixture
def folder(tmp_path):
    """Two domains of two classes: 1 and 2 photos, 3 and 1 drawings."""
    for name, count in {"photo/cat": 1, "photo/dog": 2, "drawing/cat": 3, "drawing/dog": 1}.items():
        (tmp_path / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / name / f"{number}.png")
    return tmp_path


def test_every_image_has_its_class_and_its_domain(folder):
    (folder / "photo" / "cat" / "notes.txt").write_text("none")
    found = read_domains(folder)
    assert (found.domains, found.names) == (("drawing", "photo"), ("cat", "dog"))
    assert len(found) == 7
    for path, label, domain in zip(found.images.paths, found.images.y, found.domain, strict=True):
        assert path.split("/")[:2] == [found.domains[domain], found.names[label]]
        assert found.images.load(found.images.paths.index(path), 8).shape == (8, 8, 3)
    assert found.images.not_images == ("photo/cat/notes.txt",)


def test_some_of_the_images_keep_both(folder):
    found = read_domains(folder)
    photos = found.select(found.domain == found.number("photo"))
    np.testing.assert_array_equal(photos.images.y, [0, 1, 1])
    np.testing.assert_array_equal(photos.domain, [1, 1, 1])
    with pytest.raises(
        ValueError, match=r"domain: expected one of drawing, photo, received 'foto'\. Did you mean 'photo'\?"
    ):
        found.number("foto")


def test_classes_that_differ_between_domains_are_named(folder):
    shutil.move(folder / "drawing" / "dog", folder / "drawing" / "owl")
    expected = "expected the same classes in every domain, received drawing without dog; photo without owl"
    with pytest.raises(ValueError, match=expected):
        read_domains(folder)


def test_an_empty_domain_or_class_is_named(folder):
    (folder / "photo" / "cat" / "0.png").unlink()
    with pytest.raises(ValueError, match=r"photo: expected an image in every class folder, received none in cat"):
        read_domains(folder)
    (folder / "sketch").mkdir()
    with pytest.raises(ValueError, match="expected a folder a class in every domain, received none in sketch"):
        read_domains(folder)


def test_one_domain_and_one_class_are_refused(folder):
    for domain in ("photo", "drawing"):
        shutil.rmtree(folder / domain / "dog")
    with pytest.raises(ValueError, match="expected two classes or more in every domain, received cat"):
        read_domains(folder)
    shutil.rmtree(folder / "photo")
    with pytest.raises(ValueError, match="expected a folder for each of two domains or more, received drawing"):
        read_domains(folder)
    with pytest.raises(ValueError, match="expected a folder with one folder a domain, received no folder"):
        read_domains(folder / "nothing")
