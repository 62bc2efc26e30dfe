"""The page's resizing against Pillow's, through the decoding door's own functions."""

import base64

import numpy as np
import pytest
from PIL import Image

from zsltf.data.decode import decode, fitted, shrink

BODY = """
return inputs.cases.map(({ data, height, width, size, resize, step }) => {
  const made = resample[step]({ data: Uint8Array.from(Buffer.from(data, "base64")), height, width }, size, resize);
  return { ...made, data: Buffer.from(made.data).toString("base64") };
});
"""
RNG = np.random.default_rng()


def in_page(javascript, cases):
    told = [
        {"data": base64.b64encode(image.tobytes()).decode(), "height": image.shape[0], "width": image.shape[1], **how}
        for image, how in cases
    ]
    return [
        np.frombuffer(base64.b64decode(made["data"]), np.uint8).reshape(made["height"], made["width"], 3)
        for made in javascript(BODY, cases=told)
    ]


def random_cases(step, count=40):
    for _ in range(count):
        image = RNG.integers(0, 256, (*RNG.integers(1, 90, 2), 3), dtype=np.uint8)
        yield image, {"size": int(RNG.integers(1, 60)), "step": step}


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_photos_are_averaged_down_as_pillow_does_it(javascript, resize):
    cases = [(image, {**how, "resize": resize}) for image, how in random_cases("shrink")]
    for (image, how), made in zip(cases, in_page(javascript, cases), strict=True):
        expected = np.asarray(shrink(Image.fromarray(image), how["size"], resize))
        assert made.shape == expected.shape
        assert np.abs(made.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_photos_are_fitted_as_pillow_does_it(javascript, resize):
    cases = [(image, {**how, "resize": resize}) for image, how in random_cases("fitted")]
    for (image, how), made in zip(cases, in_page(javascript, cases), strict=True):
        expected = fitted(image, how["size"], resize)
        assert made.shape == expected.shape
        assert np.abs(made.astype(int) - expected).max() <= 1


def test_a_real_photo(javascript, test_data):
    path = min((test_data / "animals" / "images").rglob("*.jpg"))
    photo = decode(path, 10_000)
    (made,) = in_page(javascript, [(photo, {"size": 96, "resize": "crop", "step": "shrink"})])
    expected = np.asarray(shrink(Image.fromarray(photo), 96, "crop")).astype(int)
    assert np.abs(made - expected).max() <= 1
    assert np.mean(made == expected) > 0.99


def test_what_is_small_enough_stays_and_loses_its_fourth_channel(javascript):
    image = RNG.integers(0, 256, (5, 7, 4), dtype=np.uint8)
    (made,) = in_page(javascript, [(image, {"size": 9, "resize": "pad", "step": "shrink"})])
    np.testing.assert_array_equal(made, image[..., :3])
