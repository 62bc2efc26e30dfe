"""Omniglot's zip files: what is in them, what is read, and what is refused."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from zsltf.data.collection import Collection, named_classes
from zsltf.data.images import ImageFolder
from zsltf.data.omniglot import OmniglotSource, read_omniglot, with_quarter_turns

SMALL1 = {"Balinese": 2, "Greek": 1, "Latin": 2, "Early_Aramaic": 2}
SMALL2 = {"Greek": 1, "Latin": 2, "Sanskrit": 2, "Tagalog": 1, "Japanese_(katakana)": 1}


def drawing(seed):
    ink = np.random.default_rng(seed).random((105, 105)) < 0.1
    stream = io.BytesIO()
    Image.fromarray(~ink).save(stream, "PNG")
    return stream.getvalue()


def write(path, alphabets, extra=()):
    """Three drawings a character."""
    with zipfile.ZipFile(path, "w") as file:
        for name, content in extra:
            file.writestr(name, content)
        for alphabet, characters in sorted(alphabets.items(), reverse=True):
            for character in range(1, characters + 1):
                for i in range(1, 4):
                    name = f"{path.stem}/{alphabet}/character{character:02d}/{character:04d}_{i:02d}.png"
                    file.writestr(name, drawing(hash_of(alphabet) + 10 * character + i))
    return path


def hash_of(text):
    return sum(map(ord, text)) * 100


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "images_background_small1.zip", SMALL1)
    write(tmp_path / "images_background_small2.zip", SMALL2)
    return tmp_path


def test_drawings_are_averaged_down_and_keep_their_characters(folder):
    found = read_omniglot(folder / "images_background_small1.zip", ["Greek", "Balinese"])
    assert found.classes.names == ("Balinese/character01", "Balinese/character02", "Greek/character01")
    assert found.images.y.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert found.images.pixels.shape == (9, 28, 28, 3)
    with Image.open(io.BytesIO(drawing(hash_of("Balinese") + 21))) as image:
        whole = np.asarray(image.convert("L"), float)
    pixels = found.images.pixels[3].astype(float)
    assert np.ptp(pixels, axis=2).max() == 0
    assert pixels.mean() == pytest.approx(whole.mean(), abs=1.5)
    corner = whole[38:68, 38:68].mean()  # rows 38 to 67 of 105 are rows 10 to 17 of 28
    assert pixels[10:18, 10:18].mean() == pytest.approx(corner, rel=0.05)


def test_quarter_turns_are_new_classes(folder):
    upright = read_omniglot(folder / "images_background_small1.zip", ["Balinese"])
    turned = with_quarter_turns(upright)
    assert len(turned.images) == 24
    assert turned.classes.names[:3] == (
        "Balinese/character01",
        "Balinese/character02",
        "Balinese/character01 turned by 90",
    )
    assert turned.images.y[::3].tolist() == list(range(8))
    for turns in range(4):
        for row in (0, 5):
            image, once = turned.images.pixels[6 * turns + row], upright.images.pixels[row]
            for _ in range(turns):
                once = once.transpose(1, 0, 2)[::-1]  # to the left
            np.testing.assert_array_equal(image, once)


def test_alphabets_are_learnt_from_chosen_on_and_tested_on(folder):
    found = OmniglotSource(data=folder).load()
    names = found.collection.classes.names
    assert len(names) == 4 * (7 + 4)

    def alphabets(rows):
        return {names[row].partition("/")[0] for row in rows}

    assert alphabets(found.parts.base) == {"Balinese", "Greek", "Latin"}
    assert alphabets(found.parts.validation) == {"Early_Aramaic"}
    assert alphabets(found.parts.novel) == {"Japanese_(katakana)", "Sanskrit", "Tagalog"}
    assert (len(found.parts.base), len(found.parts.validation), len(found.parts.novel)) == (20, 8, 16)
    images = found.collection.images
    (row,) = [row for row in found.parts.novel if names[row] == "Tagalog/character01 turned by 180"]
    upright = read_omniglot(folder / "images_background_small2.zip", ["Tagalog"]).images.pixels
    np.testing.assert_array_equal(images.pixels[images.y == row], upright[:, ::-1, ::-1])


def test_only_images_in_memory_are_turned(tmp_path):
    images = ImageFolder(root=tmp_path, paths=("a.png",), y=np.zeros(1, int))
    with pytest.raises(ValueError, match="quarter turns: expected images in memory, received ImageFolder"):
        with_quarter_turns(Collection(images=images, classes=named_classes(["a"])))


def test_alphabets_of_both_files_and_unknown_ones_are_refused(folder):
    with pytest.raises(
        ValueError, match="novel alphabets: expected ones that are not in the first set, received Greek"
    ):
        OmniglotSource(data=folder, novel=("Greek", "Tagalog")).load()
    with pytest.raises(
        ValueError, match=r"alphabet: expected one of .*, received 'Sanskirt'\. Did you mean 'Sanskrit'"
    ):
        OmniglotSource(data=folder, novel=("Sanskirt",)).load()
    with pytest.raises(ValueError, match=r"validation alphabet: expected one of .*, received 'Aramaic'"):
        OmniglotSource(data=folder, validation=("Aramaic",)).load()


def test_files_that_are_none_of_omniglots_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"none\.zip: expected a zip file of Omniglot, received .*No such file"):
        read_omniglot(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("no archive", "utf-8")
    with pytest.raises(
        ValueError, match=r"text\.zip: expected a zip file of Omniglot, received File is not a zip file"
    ):
        read_omniglot(tmp_path / "text.zip")
    empty = write(tmp_path / "empty.zip", {}, [("readme.txt", "nothing"), ("a/b.png", drawing(0))])
    with pytest.raises(
        ValueError, match=r"empty\.zip: expected drawings in SET/ALPHABET/CHARACTER/\*\.png, received none"
    ):
        read_omniglot(empty)
    big = write(tmp_path / "big.zip", {}, [("a/Greek/character01/x.png", bytes(2**17))])
    with pytest.raises(ValueError, match=r"big\.zip: a/Greek/character01/x\.png: expected at most 65,536 bytes"):
        read_omniglot(big)
    broken = write(tmp_path / "broken.zip", {}, [("a/Greek/character01/x.png", b"no picture")])
    with pytest.raises(ValueError, match="expected a JPEG, PNG, GIF, BMP or WebP image"):
        read_omniglot(broken)


def test_paths_that_lead_elsewhere_are_names_and_nothing_is_written(tmp_path):
    archive = write(tmp_path / "odd.zip", {}, [("../../etc/passwd.png", drawing(0)), ("/a/Greek/c/x.png", drawing(1))])
    before = sorted(tmp_path.rglob("*"))
    read_omniglot(archive)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_real_files(test_data):
    found = OmniglotSource(data=test_data / "omniglot").load()
    counts = [len(getattr(found.parts, role)) for role in ("base", "validation", "novel")]
    assert counts == [4 * 114, 4 * 22, 4 * 106]
    assert np.bincount(found.collection.images.y).tolist() == [20] * 968
