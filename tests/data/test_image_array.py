import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from zsltf.backbones.mean_colour import mean_colour
from zsltf.data.decode import decode
from zsltf.data.image_array import ImageArray
from zsltf.data.images import image_dataset
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.extract import extract_features


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (5, 12, 9, 3)).astype(np.uint8)


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("policy", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [4, 9, 40])
def test_an_array_gives_the_pixels_that_files_of_it_give(pixels, policy, size):
    images = ImageArray(pixels=pixels, y=np.arange(5))
    for i in range(5):
        np.testing.assert_array_equal(images.load(i, size, policy), decode(png(pixels[i]), size, policy))


def test_floats_are_rounded_to_levels(pixels):
    floats = ImageArray(pixels=np.minimum(pixels + 0.3, 255), y=np.arange(5))
    for images, index in ((floats, 2), (floats.select([2]), 0)):
        assert images.load(index, 20).dtype == np.uint8
        np.testing.assert_array_equal(images.load(index, 20), pixels[2])
        assert images.digest(index) == ImageArray(pixels=pixels, y=np.arange(5)).digest(2)


def test_dark_images_can_be_selected_from_an_array_of_floats(pixels):
    floats = ImageArray(pixels=pixels * np.array([1, 1, 0, 1, 1.0])[:, None, None, None], y=np.arange(5))
    assert not floats.select([2]).load(0, 20).any()


def test_a_pipeline_reads_it(pixels):
    images = ImageArray(pixels=pixels, y=np.arange(5))
    layer = Preprocess(8, resize="stretch")
    found = {
        int(i): p
        for i, batch in image_dataset(images, layer.resize, size=8, batch_size=2)
        for i, p in zip(i.numpy(), batch.numpy(), strict=True)
    }
    assert sorted(found) == list(range(5))
    np.testing.assert_array_equal(found[3], layer.resize(images.load(3, 8)))


def test_selection_keeps_names_labels_and_pixels(pixels):
    images = ImageArray(pixels=pixels, y=np.eye(5, 3, dtype=np.float32))
    assert images.names[3] == "image 3"
    for which in ([3, 1], np.arange(5) % 2 == 1):
        part = images.select(which)
        rows = np.arange(5)[which]
        assert part.names == tuple(f"image {row}" for row in rows)
        np.testing.assert_array_equal(part.y, images.y[rows])
        np.testing.assert_array_equal(part.load(0, 20), pixels[rows[0]])
    assert len(images.select([])) == 0


def test_the_signature_follows_every_pixel_and_not_the_labels(pixels):
    other = pixels.copy()
    other[4, 11, 8, 2] ^= 1
    images = ImageArray(pixels=pixels, y=np.arange(5))
    assert images.signature() == ImageArray(pixels=pixels.copy(), y=np.zeros(5, int)).signature()
    assert images.signature() != ImageArray(pixels=other, y=np.arange(5)).signature()
    assert images.signature() != ImageArray(pixels=pixels.reshape(5, 9, 12, 3), y=np.arange(5)).signature()
    assert images.digest(1) == hashlib.sha256(pixels[1].tobytes()).digest()


def test_npy_files_stay_on_disk(pixels, tmp_path):
    np.save(tmp_path / "x.npy", pixels)
    np.save(tmp_path / "y.npy", np.arange(5))
    images = ImageArray.from_npy(tmp_path / "x.npy", tmp_path / "y.npy")
    assert isinstance(images.pixels, np.memmap)
    np.testing.assert_array_equal(images.load(4, 20), pixels[4])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixels": np.zeros((5, 8, 8))}, r"ImageArray\.pixels: expected shape \(any, any, any, 3\), .* channels last"),
        ({"pixels": np.zeros((5, 8, 8, 1), np.uint8)}, r"expected shape \(any, any, any, 3\)"),
        ({"pixels": np.zeros((5, 8, 0, 3), np.uint8)}, r"images of some height and width"),
        ({"pixels": np.zeros((5, 8, 8, 3), np.int64)}, r"expected uint8, or floats in \[0, 255\], received int64"),
        ({"pixels": np.full((5, 8, 8, 3), 0.7)}, r"received 0\.7 to 0\.7\. Scale them: 255 \* pixels"),
        ({"pixels": np.full((5, 8, 8, 3), 300.0)}, r"floats in \[0, 255\], received 300 to 300"),
        ({"pixels": np.full((5, 8, 8, 3), -1.0)}, r"floats in \[0, 255\], received -1 to -1"),
        ({"pixels": np.full((5, 8, 8, 3), np.nan)}, r"floats in \[0, 255\], received nan to nan"),
        ({"y": np.arange(4)}, r"ImageArray\.y: expected shape \(5,\), received shape \(4,\)"),
        ({"names": ("a", "b")}, r"ImageArray\.names: expected 5 names, received 2"),
    ],
)
def test_what_does_not_fit_is_refused(pixels, change, message):
    with pytest.raises(ValueError, match=message):
        ImageArray(**({"pixels": pixels, "y": np.arange(5)} | change))


def test_features_are_extracted_from_it_and_cached(pixels, tmp_path):
    backbone = mean_colour()
    images = ImageArray(pixels=pixels, y=np.arange(5))
    first, again = (extract_features(backbone, images, cache=tmp_path) for _ in range(2))
    assert (first.cached, again.cached) == (False, True)
    assert first.features.paths == images.names
    alone = extract_features(backbone, images.select([3]), cache=tmp_path)
    np.testing.assert_array_equal(alone.features.x[0], again.features.x[3])
    np.testing.assert_array_equal(first.features.y, np.arange(5))
