import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zsltf.data.classes import ClassTable
from zsltf.data.toy import draw_folder, draw_picture, toy_classes

SEEDS = st.integers(0, 2**32 - 1)
FACTORS = ([*range(6)], [*range(6, 12)], [12, 13, 14], [15, 16])  # columns of shape, colour, texture, size


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return draw_folder(tmp_path_factory.mktemp("toy") / "set", seed=3, num_classes=24, images_per_class=2, size=32)


def pixels(folder):
    return {
        str(path.relative_to(folder)): np.asarray(Image.open(path)) for path in sorted(folder.glob("images/*/*.png"))
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("large_red_striped_star", "b82a3c58771a4184"),
        ("small_orange_dotted_cross", "1581f740a0bd09ad"),
        ("large_purple_plain_triangle", "f8e56fe598eedd5c"),
        ("small_yellow_striped_ring", "7b599c67c34ca174"),
        ("large_green_dotted_square", "e2a7e9fc8dc65724"),
        ("small_blue_plain_circle", "5a5e5d91384a4ee1"),
    ],
)
def test_pixels_are_the_frozen_ones(name, expected):
    picture = draw_picture(name, np.random.default_rng(0), 128)
    assert picture.shape == (128, 128, 3)
    assert picture.dtype == np.uint8
    assert hashlib.sha256(picture.tobytes()).hexdigest()[:16] == expected


def test_classes_are_the_frozen_ones():
    classes = toy_classes()
    listing = "\n".join(f"{name} {seen}" for name, seen in zip(classes.names, classes.seen, strict=True))
    assert hashlib.sha256(listing.encode()).hexdigest()[:16] == "a5391106fb0088fd"


@given(SEEDS, st.integers(24, 36))
def test_classes_differ_in_two_factors_and_every_value_is_seen(seed, num_classes):
    classes = toy_classes(seed, num_classes)
    table = classes.semantics
    assert len(classes) == num_classes
    assert (~classes.seen).sum() == num_classes // 4
    assert table[classes.seen].sum(0).min() >= 2
    assert all((table[:, columns].sum(1) == 1).all() for columns in FACTORS)
    shared = table @ table.T  # factors in common
    assert shared[~np.eye(num_classes, dtype=bool)].max() <= 2
    for name, row in zip(classes.names, table, strict=True):
        assert sorted(name.split("_")) == sorted(np.array(classes.columns)[row == 1])


def test_seeds_choose_different_classes():
    assert len({frozenset(toy_classes(seed).names) for seed in range(20)}) == 20


def test_folder_holds_the_pictures_and_the_table(folder):
    classes = toy_classes(3, 24)
    assert sorted(path.name for path in folder.iterdir()) == ["attributes.csv", "images"]
    assert sorted(pixels(folder)) == sorted(f"images/{name}/{i:03d}.png" for name in classes.names for i in range(2))
    lines = (folder / "attributes.csv").read_bytes().decode().split("\n")
    assert lines[0] == (
        "class,split,circle,square,triangle,star,cross,ring,"
        "red,orange,yellow,green,blue,purple,plain,striped,dotted,small,large"
    )
    read = ClassTable.from_csv(folder / "attributes.csv")
    assert (read.names, read.columns) == (classes.names, classes.columns)
    np.testing.assert_array_equal(read.semantics, classes.semantics)
    np.testing.assert_array_equal(read.seen, classes.seen)


def test_picture_depends_on_neither_the_number_of_pictures_nor_of_classes(folder, tmp_path):
    more = pixels(draw_folder(tmp_path / "more", seed=3, num_classes=36, images_per_class=3, size=32))
    few = pixels(folder)
    assert set(few) < set(more)
    assert all(np.array_equal(few[path], more[path]) for path in few)
    assert len({picture.tobytes() for picture in more.values()}) == 36 * 3


def test_another_seed_draws_other_pictures(folder, tmp_path):
    other = pixels(draw_folder(tmp_path / "other", seed=4, num_classes=36, images_per_class=2, size=32))
    shared = set(other) & set(pixels(folder))
    assert shared
    assert not any(np.array_equal(other[path], pixels(folder)[path]) for path in shared)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(toy_classes(0, 36).names))
def test_size_changes_the_resolution_only(seed, name):
    fine, coarse = (draw_picture(name, np.random.default_rng(seed), size).astype(float) for size in (192, 48))
    pooled = fine.reshape(48, 4, 48, 4, 3).mean((1, 3))
    assert np.abs(pooled - coarse).mean() < 8  # grey levels of 255: the edges' antialiasing


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("shape", toy_classes().columns[:6])
def test_object_is_whole_and_of_its_size(shape, large):
    name = f"{'large' if large else 'small'}_red_plain_{shape}"
    for seed in range(20):
        picture = draw_picture(name, np.random.default_rng(seed), 64).astype(int)
        reds = picture[(picture[..., 0] > 170) & (picture[..., 1:] < 60).all(-1)]
        values, counts = np.unique(reds, axis=0, return_counts=True)  # a plain object has one flat colour
        body = np.stack(np.nonzero((picture == values[counts.argmax()]).all(-1)))
        extent = (np.ptp(body, axis=1).max() + 1) / 64
        assert (0.58 < extent < 0.92) if large else (0.28 < extent < 0.54)
        assert body.min() > 0
        assert body.max() < 63


def mean_colours(seed, classes, images_per_class=20):
    """Mean RGB of each picture in [0, 1] with a 1 appended, and its label."""
    rows = [
        [*draw_picture(name, np.random.default_rng([seed, *np.flatnonzero(row), i]), 32).mean((0, 1)) / 255, 1]
        for name, row in zip(classes.names, classes.semantics, strict=True)
        for i in range(images_per_class)
    ]
    return np.array(rows), np.repeat(np.arange(len(classes)), images_per_class)


def ridge(x, targets):
    return np.linalg.solve(x.T @ x + 1e-3 * np.eye(x.shape[1]), x.T @ targets)


@pytest.mark.parametrize("seed", range(5))
def test_mean_colour_tells_little(seed):
    classes = toy_classes(seed)
    x, y = mean_colours(seed, classes)
    unseen, train = np.flatnonzero(~classes.seen), classes.seen[y]
    predicted = x[~train] @ ridge(x[train], classes.semantics[y[train]])  # (N, A), learned on the seen classes
    distances = np.square(predicted[:, None] - classes.semantics[unseen]).sum(2)
    assert (unseen[distances.argmin(1)] == y[~train]).mean() <= 0.4
    x, y = x[~train], np.searchsorted(unseen, y[~train])  # and with labels of the unseen classes themselves
    even = np.arange(len(y)) % 2 == 0
    scores = x[~even] @ ridge(x[even], np.eye(len(unseen))[y[even]])
    assert (scores.argmax(1) == y[~even]).mean() <= 0.4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda path: toy_classes(-1), "toy_classes.seed: expected a whole number >= 0, received -1"),
        (lambda path: toy_classes(0, 40), "num_classes: expected a whole number from 24 to 36, received 40"),
        (lambda path: draw_folder(path, num_classes=8), "a whole number from 24 to 36, received 8"),
        (
            lambda path: draw_folder(path, images_per_class=0),
            "images_per_class: expected a whole number >= 1, received 0",
        ),
        (lambda path: draw_folder(path, size=64.5), r"draw_folder.size: expected a whole number >= 16, received 64.5"),
        (lambda path: draw_folder(path.parent), "expected a path where nothing is yet"),
        (lambda path: draw_picture("red_star", None), "expected a name size_colour_texture_shape, received 'red_star'"),
        (lambda path: draw_picture("large_red_stripd_star", None), "Did you mean 'striped'?"),
        (
            lambda path: draw_picture("large_red_plain_star", None, 8),
            "draw_picture.size: expected a whole number >= 16",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message, tmp_path):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        call(tmp_path / "set")
    assert not list(tmp_path.iterdir())
