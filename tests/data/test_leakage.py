import shutil

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from zsltf.data.image_array import ImageArray
from zsltf.data.images import ImageFolder
from zsltf.data.leakage import (
    Twins,
    check_leakage,
    class_duplicates,
    duplicate_groups,
    near_duplicates,
)
from zsltf.data.perceptual import perceptual_hashes
from zsltf.data.splits import Split, split_by_part

NONE = np.zeros(0, int)


def split_of(train, test, validation=()):
    return Split(train=np.array(train), validation=np.array(validation, int), test=np.array(test))


@pytest.fixture
def folder(tmp_path):
    """Six different smooth pictures, 40 x 60."""
    rng = np.random.default_rng(0)
    (tmp_path / "a").mkdir()
    for i in range(6):
        small = Image.fromarray(rng.integers(0, 256, (5, 5, 3)).astype(np.uint8))
        small.resize((60, 40), Image.Resampling.BICUBIC).save(tmp_path / "a" / f"{i}.png")
    return tmp_path


def read(folder):
    return ImageFolder.read(folder, ("a",))


def save_again(folder, number, name, **options):
    Image.open(folder / "a" / f"{number}.png").save(folder / "a" / name, **options)


def test_the_same_bytes_in_two_parts_are_an_error_that_lists_the_pairs(folder):
    shutil.copy(folder / "a" / "1.png", folder / "a" / "6.png")
    shutil.copy(folder / "a" / "2.png", folder / "a" / "7.png")
    shutil.copy(folder / "a" / "2.png", folder / "a" / "8.png")
    images = read(folder)
    check_leakage(images, split_of([0, 1, 6], [2, 7, 8]))  # copies within a part are no leak
    message = r"expected no image in two parts, received 2 that are: train a/1\.png = test a/6\.png; train a/2\.png = "
    with pytest.raises(ValueError, match=message):
        check_leakage(images, split_of([0, 1, 2], [3, 6, 7, 8]))
    with pytest.raises(
        ValueError, match=r"3 that are: .*Remove one of each, give both one group, or pass --allow-leak"
    ):
        check_leakage(images, split_of([2], [8], [7]))


def test_other_metadata_hide_a_copy_unless_pixels_are_compared(folder):
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "copied")
    save_again(folder, 1, "6.png", pnginfo=note)
    save_again(folder, 1, "7.bmp")
    (folder / "a" / "8.png").write_text("no image")
    images = read(folder)
    split = split_of([0, 1, 2, 3], [4, 6, 8], [5, 7])
    check_leakage(images, split)
    with pytest.raises(ValueError, match=r"3 that are: train a/1\.png = validation a/7\.bmp; train a/1\.png = test"):
        check_leakage(images, split, decoded=True)


@pytest.mark.parametrize("decoded", [False, True])
def test_arrays_are_compared_too(decoded):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    pixels[4] = pixels[0]
    images = ImageArray(pixels=pixels, y=np.zeros(6, int))
    check_leakage(images, split_of([0, 1, 4], [2, 3, 5]), decoded=decoded)
    with pytest.raises(ValueError, match=r"1 that are: train image 0 = test image 4\."):
        check_leakage(images, split_of([0, 1, 2], [3, 4, 5]), decoded=decoded)


def test_recompressed_resized_and_relit_copies_are_near_duplicates(folder):
    original = Image.open(folder / "a" / "0.png")
    original.save(folder / "a" / "6.jpg", quality=30)
    original.resize((37, 31)).save(folder / "a" / "7.png")
    original.point(lambda value: 0.8 * value + 20).save(folder / "a" / "8.webp")
    (folder / "a" / "9.jpg").write_text("no image")
    images = read(folder)
    with pytest.warns(UserWarning, match=r"look nearly the same: 3, such as train a/0\.png = test a/"):
        found = near_duplicates(images, split_of(range(6), range(6, 10)))
    assert {(pair.first, pair.second) for pair in found} == {
        ("train a/0.png", f"test a/{name}") for name in ("6.jpg", "7.png", "8.webp")
    }
    assert all(0 <= pair.distance <= 8 for pair in found)
    assert near_duplicates(images, split_of([*range(1, 6)], [0, 6, 7, 8])) == ()
    assert len(near_duplicates(images, split_of(range(6), range(6, 10)), most=2)) == 2
    groups = duplicate_groups(images)
    assert len(set(groups[[0, 6, 7, 8]])) == 1
    assert len(set(groups)) == 7  # six pictures and the file that is none


def test_pairs_are_those_of_all_distances_and_read_well():
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (60, 32, 32, 3)).astype(np.uint8)
    images = ImageArray(pixels=pixels, y=np.zeros(60, int))
    hashes, known = perceptual_hashes(images)
    assert known.all()
    part = rng.permutation(np.repeat(["train", "validation", "test"], 20))
    wanted = {
        tuple(sorted((f"{part[i]} image {i}", f"{part[j]} image {j}")))
        for i in range(60)
        for j in range(i)
        if part[i] != part[j] and (int(hashes[i]) ^ int(hashes[j])).bit_count() <= 24
    }
    found = near_duplicates(images, split_by_part(list(part)), distance=24)
    assert {tuple(sorted((pair.first, pair.second))) for pair in found} == wanted
    assert 10 < len(wanted) < 1000
    assert str(Twins(first="train a", second="test b", distance=3)) == "train a = test b (3 of 64 bits differ)"
    assert str(Twins(first="train a", second="test b")) == "train a = test b"


def test_the_hash_is_of_the_lowest_cosine_frequencies():
    x = (np.arange(32) + 0.5) / 32
    wave = 128 + 60 * np.cos(np.pi * 2 * x)[:, None] * np.cos(np.pi * 3 * x)  # frequency 2 down, 3 across
    pixels = np.repeat(np.rint(np.stack([wave, np.full((32, 32), 77.0)]))[..., None], 3, axis=-1).astype(np.uint8)
    (hash_of_wave, hash_of_grey), _ = perceptual_hashes(ImageArray(pixels=pixels, y=np.zeros(2, int)))
    bits = np.array([int(bit) for bit in f"{hash_of_wave:064b}"]).reshape(8, 8)
    assert bits[0, 0] == bits[2, 3] == 1
    assert hash_of_grey == 1 << 63  # nothing but the mean


def test_no_image_and_one_colour_are_no_trouble():
    pixels = np.zeros((300, 8, 8, 3), np.uint8)
    images = ImageArray(pixels=pixels, y=np.zeros(300, int))
    assert len(near_duplicates(images, split_of(range(150), range(150, 300)), most=5)) == 5
    assert set(duplicate_groups(images)) == {0}
    assert near_duplicates(images, split_of(range(300), NONE)) == ()


def test_the_animal_photos_hold_copies_all_of_one_kind(test_data):
    """What the default distance is chosen by; the data set turned out to hold many more copies than its notes say."""
    root = test_data / "animals" / "images"
    images = ImageFolder.read(root, sorted(path.name for path in root.iterdir()))
    groups = duplicate_groups(images)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    copies = [rows for rows in members if len(rows) > 1]
    assert any([images.names[row] for row in rows] == ["snake/002.jpg", "snake/017.jpg"] for rows in copies)
    assert 145 <= len(copies) <= 165
    for rows in copies:
        assert len(set(images.y[rows])) == 1  # a photo of another kind would be another photo
        thumbnails = np.stack([_thumbnail(images, row) for row in rows])
        assert np.corrcoef(thumbnails).min() > 0.75
    other = _pairs_of_two_kinds(images, 12)
    assert 1 <= other <= 5
    assert _pairs_of_two_kinds(images, 8) == 0


def _thumbnail(images, row):
    grey = Image.open(images.root / images.paths[row]).convert("L")
    return np.asarray(grey.resize((16, 16), Image.Resampling.BOX), float).ravel()


def _pairs_of_two_kinds(images, distance):
    hashes, _ = perceptual_hashes(images)
    bits = np.bitwise_count(hashes[:, None] ^ hashes)
    return int(((bits <= distance) & (images.y[:, None] < images.y)).sum())


def test_copies_in_two_classes_or_for_training_and_testing_are_listed(folder):
    (folder / "b").mkdir()
    shutil.copy(folder / "a" / "0.png", folder / "b" / "copy.png")
    for name in ("twin", "triplet"):
        shutil.copy(folder / "a" / "1.png", folder / "a" / f"{name}.png")
    (folder / "a" / "broken.png").write_bytes(b"")
    images = ImageFolder.read(folder, ("a", "b"))
    tested = np.isin(images.names, ["a/twin.png", "a/broken.png"])
    with pytest.warns(UserWarning, match=r"in two classes, or for training and testing, that look nearly the same: 3,"):
        found = class_duplicates(images, tested)
    assert {(pair.first, pair.second, pair.distance) for pair in found} == {
        ("train a/0.png", "train b/copy.png", 0),
        ("train a/1.png", "test a/twin.png", 0),
        ("train a/triplet.png", "test a/twin.png", 0),
    }
    shutil.rmtree(folder / "b")
    images = ImageFolder.read(folder, ("a",))
    assert class_duplicates(images, np.zeros(len(images), bool)) == ()  # copies in training alone
