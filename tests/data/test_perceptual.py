import numpy as np
import pytest

from zsltf.data.image_array import ImageArray
from zsltf.data.perceptual import perceptual_hashes
from zsltf.files import cache_directory


@pytest.fixture
def images(monkeypatch, tmp_path):
    monkeypatch.setenv("ZSLTF_CACHE", str(tmp_path))
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 30, 3), dtype=np.uint8)
    return ImageArray(pixels=pixels, y=np.zeros(3, int))


def test_the_same_images_again_are_not_decoded(images, monkeypatch):
    first = perceptual_hashes(images)
    monkeypatch.setattr("zsltf.data.perceptual._hash", lambda *_: pytest.fail("decoded again"))
    for one, other in zip(first, perceptual_hashes(images), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive"])
def test_a_damaged_cache_is_written_again(images, content):
    hashes, known = perceptual_hashes(images)
    (file,) = (cache_directory() / "hashes").iterdir()
    file.write_bytes(content)
    np.testing.assert_array_equal(perceptual_hashes(images)[0], hashes)
    assert known.all()
    with np.load(file) as kept:
        np.testing.assert_array_equal(kept["hashes"], hashes)
