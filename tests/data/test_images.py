import hashlib
import os
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zsltf.data.decode import decode
from zsltf.data.images import ImageFolder, image_dataset
from zsltf.layers.preprocess import Preprocess

NAMES = ("bee", "ant")  # not in alphabetical order: label i is row i of the table


@pytest.fixture
def root(tmp_path):
    """5 bees and 4 ants of different sizes, each of one colour that tells it."""
    for label, (name, count) in enumerate(zip(NAMES, (5, 4), strict=True)):
        (tmp_path / name).mkdir()
        for i in range(count):
            Image.new("RGB", (8 + i, 9 - i), (100 * label, 20 * i, 7)).save(tmp_path / name / f"{i}.png")
    return tmp_path


def state(root):
    """Path -> content and time of change of everything below root."""
    return {
        str(p): (p.stat().st_mtime_ns, hashlib.sha256(p.read_bytes()).digest() if p.is_file() else "")
        for p in root.rglob("*")
    }


def batches(images, **options):
    layer = Preprocess(8, resize=options.get("policy", "stretch"))
    return image_dataset(images, layer.resize, size=8, **options)


def order(dataset):
    return [int(i) for indices, _ in dataset for i in indices]


def test_labels_are_rows_of_the_names_and_paths_are_sorted_within(root):
    images = ImageFolder.read(root, NAMES)
    assert images.paths == (*(f"bee/{i}.png" for i in range(5)), *(f"ant/{i}.png" for i in range(4)))
    np.testing.assert_array_equal(images.y, [0] * 5 + [1] * 4)
    assert len(images) == 9
    np.testing.assert_array_equal(ImageFolder.read(root, ("ant",)).y, [0] * 4)


def test_every_suffix_in_any_case_and_nested_folders_are_read(tmp_path):
    (tmp_path / "ant" / "day 1" / "left").mkdir(parents=True)
    files = ["A.JPG", "b.jpeg", "c.PNG", "d.gif", "e.Bmp", "f.webp", "day 1/g.png", "day 1/left/h.jpg"]
    for file in files:
        (tmp_path / "ant" / file).touch()
    images = ImageFolder.read(tmp_path, ("ant",))
    assert sorted(images.paths) == sorted(f"ant/{file}" for file in files)
    assert images.not_images == ()


def test_what_is_no_image_or_no_class_is_listed_and_hidden_files_are_passed_over(root):
    for file in ("ant/notes.txt", "ant/deep/clip.mp4", "ant/no_suffix", "readme.md"):
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).touch()
    for hidden in ("ant/.DS_Store", "ant/._0.png", "ant/.ipynb_checkpoints/0-checkpoint.png", ".git/x.png"):
        (root / hidden).parent.mkdir(exist_ok=True)
        (root / hidden).touch()
    (root / "wasp").mkdir()
    images = ImageFolder.read(root, NAMES)
    assert len(images) == 9
    assert images.not_images == ("ant/deep/clip.mp4", "ant/no_suffix", "ant/notes.txt")
    assert images.left_out == ("wasp",)


def test_a_folder_may_have_its_letters_in_another_form_of_unicode(root):
    composed, apart = ("".join(("b", letter, "r")) for letter in ("\u00e4", "a\u0308"))
    (root / "ant").rename(root / apart)
    images = ImageFolder.read(root, (NAMES[0], composed))
    assert sum(path.startswith(f"{apart}/") for path in images.paths) == 4
    assert images.left_out == ()
    (root / composed).mkdir()  # which is the name, letter for letter
    with pytest.raises(ValueError, match=rf"an image in every class folder, received none in {composed}\."):
        ImageFolder.read(root, (NAMES[0], composed))


def test_a_folder_that_does_not_fit_the_names_is_refused(root):
    with pytest.raises(ValueError, match=r"nothing: expected a folder with one folder a class, .*Check the path\."):
        ImageFolder.read(root / "nothing", NAMES)
    with pytest.raises(ValueError, match=r"0\.png: expected a folder with one folder a class, received no folder"):
        ImageFolder.read(root / "ant" / "0.png", NAMES)
    with pytest.raises(
        ValueError, match=r"a folder for every class of the table, received none for wasp, fly\. Add it"
    ):
        ImageFolder.read(root, (*NAMES, "wasp", "fly"))
    (root / "wasp").mkdir()
    (root / "wasp" / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"an image in every class folder, received none in wasp\. Add photos\."):
        ImageFolder.read(root, (*NAMES, "wasp"))
    (root / "fly").touch()
    with pytest.raises(ValueError, match=r"received none for fly\."):
        ImageFolder.read(root, (*NAMES, "fly"))


@pytest.mark.parametrize("batch_size", [1, 4, 9, 32])
def test_without_a_seed_the_order_is_the_folders(root, batch_size):
    images = ImageFolder.read(root, NAMES)
    dataset = batches(images, batch_size=batch_size)
    assert order(dataset) == order(dataset) == list(range(9))
    assert next(len(indices) for indices, _ in dataset) == min(batch_size, 9)


def test_pixels_are_those_of_the_index_in_0_to_255(root):
    images = ImageFolder.read(root, NAMES)
    for indices, pixels in batches(images, batch_size=4, shuffle_seed=0):
        assert pixels.dtype == tf.float32
        assert pixels.shape[1:] == (8, 8, 3)
        for index, image in zip(indices.numpy(), pixels.numpy(), strict=True):
            label, number = images.y[index], int(images.paths[index][-5])
            np.testing.assert_array_equal(image, np.broadcast_to([100 * label, 20 * number, 7], (8, 8, 3)))


@pytest.mark.parametrize("policy", ["stretch", "crop", "pad"])
def test_pixels_are_decoded_and_resized_by_the_policy(tmp_path, policy):
    (tmp_path / "ant").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (30, 20, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "ant" / "0.png")
    ((_, pixels),) = batches(ImageFolder.read(tmp_path, ("ant",)), policy=policy)
    expected = Preprocess(8, resize=policy).resize(decode(tmp_path / "ant" / "0.png", 8, policy))
    np.testing.assert_array_equal(pixels[0], expected)


def test_shuffling_is_new_each_epoch_and_the_same_for_a_seed(root):
    images = ImageFolder.read(root, NAMES)

    def epochs(seed):
        dataset = batches(images, batch_size=4, shuffle_seed=seed)
        return [order(dataset) for _ in range(3)]

    first, again, other = epochs(3), epochs(3), epochs(4)
    assert first == again
    assert first != other
    assert all(sorted(epoch) == list(range(9)) for epoch in first)
    assert len({tuple(epoch) for epoch in [*first, list(range(9))]}) == 4


def broken(root):
    (root / "bee" / "1.png").write_bytes((root / "bee" / "1.png").read_bytes()[:40])
    (root / "ant" / "0.png").write_text("no image")
    (root / "ant" / "3.png").write_bytes(b"")
    return ImageFolder.read(root, NAMES)


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_corrupt_files_are_skipped_with_their_reason(root, batch_size):
    images, skipped = broken(root), {}
    found = list(batches(images, batch_size=batch_size, skipped=skipped))
    assert order(found) == [0, 2, 3, 4, 6, 7]  # bee/1, ant/0 and ant/3 are 1, 5 and 8
    assert all(len(indices) == len(pixels) > 0 for indices, pixels in found)
    assert {images.paths[i] for i in skipped} == {"bee/1.png", "ant/0.png", "ant/3.png"}
    for index, reason in skipped.items():
        assert images.paths[index] in reason
        assert "Replace the file." in reason
    assert order(batches(images)) == [0, 2, 3, 4, 6, 7]  # nobody has to ask for the reasons


def test_a_file_that_vanishes_is_skipped_too(root):
    images, skipped = ImageFolder.read(root, NAMES), {}
    (root / "ant" / "2.png").unlink()
    assert order(batches(images, skipped=skipped)) == [0, 1, 2, 3, 4, 5, 6, 8]
    assert "No such file" in skipped[7]


def test_on_corrupt_error_stops_at_the_file(root):
    images, skipped = broken(root), {}
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"1\.png: expected a JPEG, PNG.*Replace the file"):
        order(batches(images, batch_size=1, on_corrupt="error", skipped=skipped))
    assert 1 in skipped


def test_reading_deletes_and_moves_nothing(root):
    images = broken(root)
    before = state(root)
    order(batches(images, shuffle_seed=0))
    assert state(root) == before


def test_selected_images_keep_their_labels_names_and_pixels(root):
    images = ImageFolder.read(root, NAMES)
    for which, rows in (([7, 0], [7, 0]), (images.y == 1, [5, 6, 7, 8]), ([], [])):
        part = images.select(which)
        assert part.names == tuple(images.names[row] for row in rows)
        np.testing.assert_array_equal(part.y, images.y[rows])
        for new, old in enumerate(rows):
            np.testing.assert_array_equal(part.load(new, 8), images.load(old, 8))


def test_loading_averages_big_photos_down_by_the_policy_and_refuses_broken_ones(root):
    images = broken(root)  # the last bee is 12 wide and 5 high
    assert images.load(4, 4).shape == (4, 4, 3)
    assert images.load(4, 4, "crop").shape == (4, 10, 3)
    assert images.load(4, 4, "pad").shape == (2, 4, 3)
    with pytest.raises(ValueError, match=r"bee/1\.png: expected a JPEG"):
        images.load(1, 4)


def test_the_signature_follows_the_files_and_not_the_labels(root):
    images = ImageFolder.read(root, NAMES)
    assert images.signature() == ImageFolder.read(root, NAMES).signature()
    assert images.signature() == replace(images, y=1 - images.y).signature()
    assert len({images.signature(), images.select([0, 1]).signature(), images.select([1, 0]).signature()}) == 3
    before = images.signature()
    os.utime(root / "bee" / "0.png", ns=(1, 1))
    touched = images.signature()
    (root / "bee" / "0.png").write_bytes(b"longer or shorter")
    os.utime(root / "bee" / "0.png", ns=(1, 1))
    assert len({before, touched, images.signature()}) == 3


def test_the_digest_is_that_of_the_files_bytes(root):
    images = ImageFolder.read(root, NAMES)
    assert images.digest(6) == hashlib.sha256((root / "ant" / "1.png").read_bytes()).digest()
