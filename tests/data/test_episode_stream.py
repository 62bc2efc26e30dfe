"""Episodes as a pipeline: those that are drawn, with the pixels of their images."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zsltf.data.episode_stream import episode_dataset
from zsltf.data.episodes import Episodes
from zsltf.data.images import ImageFolder

COUNT = 6


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """5 classes of 6 pictures, each of one colour that names it: class, number."""
    root = tmp_path_factory.mktemp("photos")
    for label in range(5):
        (root / f"c{label}").mkdir()
        for number in range(COUNT):
            Image.new("RGB", (6 + number, 5), (10 * label, 20 * number, 77)).save(root / f"c{label}" / f"{number}.png")
    return ImageFolder.read(root, [f"c{label}" for label in range(5)])


def resized(pixels):
    return tf.image.resize(tf.cast(pixels, tf.float32), (4, 4))


@pytest.mark.parametrize(
    "episodes", [Episodes(ways=3, shots=2, queries=1), Episodes(ways=(2, 4), shots=(1, 3), queries=2, balanced=False)]
)
def test_it_gives_the_drawn_episodes_with_their_pixels(images, episodes):
    drawn = episodes.draw(images.y, 6, seed=3)
    dataset = episode_dataset(images, episodes, resized, size=4, count=6, seed=3)
    found = [{name: value.numpy() for name, value in one.items()} for one in dataset]
    assert len(found) == 6
    for one, episode in zip(found, drawn, strict=True):
        for name in ("classes", "support_y", "query_y"):
            np.testing.assert_array_equal(one[name], getattr(episode, name))
        for name in ("support", "query"):
            rows = getattr(episode, name)
            colours = np.stack([10 * images.y[rows], 20 * (rows % COUNT), np.full(len(rows), 77)], axis=1)
            expected = np.broadcast_to(colours[:, None, None], (len(rows), 4, 4, 3))
            np.testing.assert_allclose(one[name], expected, atol=1)


def test_it_is_the_same_each_time_and_goes_on_for_ever(images):
    episodes = Episodes(ways=2, queries=1)
    dataset = episode_dataset(images, episodes, resized, size=4, seed=1)
    one, other = ([e["support"].numpy() for e in dataset.take(9)] for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert len({each.tobytes() for each in one}) > 5


def test_some_classes_alone_take_part(images):
    dataset = episode_dataset(images, Episodes(ways=2, queries=1), resized, size=4, classes=np.array([1, 4]), count=5)
    assert {label for one in dataset for label in one["classes"].numpy()} == {1, 4}
    with pytest.raises(ValueError, match="images of these classes, received none"):
        episode_dataset(images, Episodes(), resized, size=4, classes=np.array([9]))


def test_episodes_of_one_shape_are_batched(images):
    dataset = episode_dataset(images, Episodes(ways=2, shots=2, queries=1), resized, size=4, count=4).batch(2)
    assert [tuple(one["support"].shape) for one in dataset] == [(2, 4, 4, 4, 3)] * 2


def test_too_few_images_are_refused_before_the_pipeline(images):
    with pytest.raises(ValueError, match=r"expected 9 examples a class, 4 \+ 5, received fewer in 5"):
        episode_dataset(images, Episodes(ways=2, shots=4, queries=5), resized, size=4)


def test_a_broken_file_is_named(images, tmp_path):
    for label in range(2):
        (tmp_path / f"c{label}").mkdir()
        for number in range(2):
            (tmp_path / f"c{label}" / f"{number}.png").write_bytes(b"no picture")
    broken = ImageFolder.read(tmp_path, ["c0", "c1"])
    dataset = episode_dataset(broken, Episodes(ways=2, queries=1), resized, size=4, count=1)
    with pytest.raises(tf.errors.OpError, match=r"c\d/\d\.png: expected a JPEG"):
        list(dataset)
