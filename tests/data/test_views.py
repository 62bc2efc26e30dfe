"""Views: what chance may change, and that a seed fixes it."""

import numpy as np
import pytest
import tensorflow as tf

from zsltf.data.views import FeatureViews, ImageViews, random_crops

SEED = tf.constant([3, 4])
STILL = {"crop_scale": (1.0, 1.0), "flip": False, "brightness": 0.0, "contrast": 0.0, "colour": 0.0, "grey": 0.0}


def images(count=6):
    return np.random.default_rng(0).normal(size=(count, 8, 10, 3)).astype(np.float32)


def vectors(count=400):
    return (np.random.default_rng(0).normal(size=(count, 5)) * [1, 2, 3, 4, 5] + 7).astype(np.float32)


@pytest.mark.parametrize(("views", "x"), [(ImageViews(noise=0.1), images()), (FeatureViews(), vectors())])
def test_the_seed_fixes_a_view_and_another_gives_another(views, x):
    one = views(x, SEED)
    np.testing.assert_array_equal(one, views(x, SEED))
    assert one.shape == x.shape
    assert np.abs(one - views(x, SEED + 1)).max() > 0.1


def test_with_everything_off_images_stay():
    np.testing.assert_allclose(ImageViews(**STILL)(images(), SEED), images(), atol=1e-6)


def test_with_everything_off_features_stay():
    np.testing.assert_array_equal(FeatureViews(dropout=0.0, noise=0.0, mixing=0.0)(vectors(), SEED), vectors())


def test_the_mirror_turns_about_half_of_the_images():
    x = images(200)
    found = np.asarray(ImageViews(**{**STILL, "flip": True})(x, SEED))
    turned = [np.allclose(a, b[:, ::-1], atol=1e-5) for a, b in zip(found, x, strict=True)]
    stayed = [np.allclose(a, b, atol=1e-5) for a, b in zip(found, x, strict=True)]
    assert all(np.logical_xor(turned, stayed))
    assert 0.4 < np.mean(turned) < 0.6


def test_grey_images_have_equal_channels_and_the_others_keep_theirs():
    found = np.asarray(ImageViews(**{**STILL, "grey": 0.5})(images(200), SEED))
    grey = np.ptp(found, axis=3).max(axis=(1, 2)) < 1e-6
    assert 0.4 < grey.mean() < 0.6
    np.testing.assert_allclose(found[~grey], images(200)[~grey], atol=1e-6)


def test_brightness_and_contrast_stay_within_their_bounds():
    x = images(300)
    bright = np.asarray(ImageViews(**{**STILL, "brightness": 0.4})(x, SEED)) - x
    assert np.ptp(bright, axis=(1, 2, 3)).max() < 1e-5
    assert 0.3 < np.abs(bright).max() <= 0.4 + 1e-5
    strong = np.asarray(ImageViews(**{**STILL, "contrast": 0.4})(x, SEED)).std(axis=(1, 2, 3)) / x.std(axis=(1, 2, 3))
    assert 0.6 - 1e-4 <= strong.min() < 0.7
    assert 1.3 < strong.max() <= 1.4 + 1e-4


def test_crops_of_a_ramp_keep_its_order_and_take_the_share_of_its_area():
    """On a linear ramp a crop shows its own extent: the range across and down are its width and height."""
    down, across = np.meshgrid(np.linspace(0, 1, 33), np.linspace(0, 1, 33), indexing="ij")
    x = np.tile(np.stack([down, across], axis=-1), (300, 1, 1, 1)).astype(np.float32)
    found = np.asarray(random_crops(x, SEED, (0.25, 0.5)))
    height, width = np.ptp(found[..., 0], axis=(1, 2)), np.ptp(found[..., 1], axis=(1, 2))
    assert found.min() >= 0
    assert found.max() <= 1
    assert 0.25 - 1e-4 <= (height * width).min() < 0.28
    assert 0.47 < (height * width).max() <= 0.5 + 1e-4
    assert (width / height).min() >= 3 / 4 - 1e-3
    assert (width / height).max() <= 4 / 3 + 1e-3


def test_dropped_coordinates_are_the_mean_and_as_many_as_asked_for():
    found = np.asarray(FeatureViews(dropout=0.3, noise=0.0, mixing=0.0)(vectors(), SEED))
    dropped = found != vectors()
    assert 0.25 < dropped.mean() < 0.35
    np.testing.assert_allclose(found[dropped], np.tile(vectors().mean(axis=0), (400, 1))[dropped], rtol=1e-4)


def test_noise_is_in_units_of_each_coordinate():
    added = np.asarray(FeatureViews(dropout=0.0, noise=0.5, mixing=0.0)(vectors(), SEED)) - vectors()
    np.testing.assert_allclose(added.std(axis=0) / vectors().std(axis=0), 0.5, rtol=0.15)


def test_mixing_takes_at_most_its_share_of_another_example():
    x = np.eye(50, dtype=np.float32)
    found = np.asarray(FeatureViews(dropout=0.0, noise=0.0, mixing=0.3)(x, SEED))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert 0.7 <= np.diag(found).min() < 0.8


@pytest.mark.parametrize(
    ("kind", "wrong", "message"),
    [
        (ImageViews, {"crop_scale": (0.0, 1.0)}, r"ImageViews.crop_scale: expected 0 < smallest <= largest <= 1"),
        (ImageViews, {"grey": 1.0}, r"ImageViews.grey: expected a share in \[0, 1\)"),
        (FeatureViews, {"noise": -1.0}, "FeatureViews.noise: expected a number >= 0"),
        (FeatureViews, {"dropout": 1.0}, r"FeatureViews.dropout: expected a share in \[0, 1\)"),
    ],
)
def test_what_makes_no_view_is_refused(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        kind(**wrong)
