"""The size that an image claims, by its header."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from zsltf.serving.image_size import image_size
from zsltf.serving.inference import check_images
from zsltf.serving.status import RequestError


def encoded(kind, size=(37, 21), mode="RGB", **options):
    content = io.BytesIO()
    Image.new(mode, size).save(content, kind, **options)
    return content.getvalue()


def animated(kind, size=(9, 7)):
    content = io.BytesIO()
    frames = [Image.new("RGB", size, colour) for colour in ("red", "green", "blue")]
    frames[0].save(content, kind, save_all=True, append_images=frames[1:])
    return content.getvalue()


def chunk(kind, data, damage=0):
    """Of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ damage)


def png_with_a_damaged_text(size):
    content = encoded("PNG", size, "1")
    return content[:33] + chunk(b"tEXt", b"a\0b", damage=1) + content[33:]


def gif_whose_frame_is_larger():
    content = bytearray(encoded("GIF", (8, 8), "L"))
    start = content.index(b",\0\0\0\0")
    content[start + 5 : start + 9] = struct.pack("<HH", 30_000, 20_000)
    return bytes(content)


def jpeg_with_bytes_between():
    content = encoded("JPEG")
    return content[:2] + b"\xff\xe0\0\x02between\0" + b"\xff" + content[2:]


READ = {
    "png": (encoded("PNG"), (37, 21)),
    "damaged png": (png_with_a_damaged_text((37, 21)), (37, 21)),
    "jpeg": (encoded("JPEG"), (37, 21)),
    "progressive jpeg": (encoded("JPEG", progressive=True), (37, 21)),
    "jpeg with exif": (encoded("JPEG", exif=b"Exif\0\0" + encoded("JPEG", (99, 99))), (37, 21)),
    "jpeg with bytes between": (jpeg_with_bytes_between(), (37, 21)),
    "gif": (encoded("GIF"), (37, 21)),
    "animated gif": (animated("GIF"), (9, 7, 3)),
    "gif whose frame is larger": (gif_whose_frame_is_larger(), (30_000, 20_000)),
    "bmp": (encoded("BMP"), (37, 21)),
    "webp": (encoded("WEBP"), (37, 21)),
    "lossless webp": (encoded("WEBP", lossless=True), (37, 21)),
    "lossless webp, wide": (encoded("WEBP", (16383, 3), lossless=True), (16383, 3)),
    "webp with exif": (encoded("WEBP", exif=b"Exif\0\0xx"), (37, 21)),
}


@pytest.mark.parametrize(("content", "size"), READ.values(), ids=READ)
def test_the_size_is_read(content, size):
    assert image_size(content) == size


def test_the_header_is_enough():
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP"):
        content = encoded(kind, (300, 200))
        assert image_size(content[: len(content) - 9]) == (300, 200)


TEXTS = [b"", b"B", b"BMW is a make of cars, as everybody knows", b"GIF89a is a format; of old; and of 256 colours"]
TEXTS += [b"GIF8", b"RIFF is a container", b"RIFF\0\0\0\0WAVEfmt ", b"\x89PNG", b"\xff\xd8", bytes(40), b"\n\x10"]


@pytest.mark.parametrize("content", TEXTS, ids=range(len(TEXTS)))
def test_what_is_no_image_passes(content):
    assert image_size(content) == ()


UNTOLD = {
    "jpeg xl": (b"\xff\x0a" + bytes(9), "JPEG XL"),
    "jpeg xl in a box": (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    "animated webp": (animated("WEBP"), "animated WebP"),
    "webp without a header": (encoded("WEBP")[:12] + b"ALPH" + bytes(20), "WebP without a header"),
    "png without a header": (
        encoded("PNG")[:8] + chunk(b"abCd", bytes(9)) + encoded("PNG")[8:],
        "PNG without a header",
    ),
    "cut png": (encoded("PNG")[:20], "ends before"),
    "cut jpeg": (encoded("JPEG")[:30], "ends before|without a frame"),
    "cut webp": (encoded("WEBP")[:24], "ends before"),
    "jpeg of markers": (b"\xff\xd8" + b"\xff\x01" * 2**20, "without a frame"),
    "jpeg of ones": (b"\xff\xd8" + b"\xff" * 2**20, "without a frame"),
    "gif of blocks": (encoded("GIF", (8, 8), "L")[:-2] + b"\x01x" * 2**20, "too many blocks"),
}


@pytest.mark.parametrize(("content", "message"), UNTOLD.values(), ids=UNTOLD)
def test_an_image_that_does_not_tell_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        image_size(content)
    with pytest.raises(RequestError, match=r"image 1 of encoded is an? .*Send a JPEG"):
        check_images({"encoded": np.array([b"", content], object)}, 10**8)


def test_random_bytes_are_read_or_refused():
    rng = np.random.default_rng(0)
    for content, _ in READ.values():
        for _ in range(200):
            mangled = bytearray(content)
            for at in rng.integers(2, len(content), 3):
                mangled[at] = rng.integers(256)
            try:
                size = image_size(bytes(mangled[: rng.integers(len(content) + 1)]))
            except ValueError:
                continue
            assert len(size) in (0, 2, 3)


LARGE = {
    "png": png_with_a_damaged_text((12_000, 12_000)),
    "webp": encoded("WEBP", (12_000, 12_000), "L", lossless=True, method=0),
}


@pytest.mark.parametrize("content", LARGE.values(), ids=LARGE)
def test_too_many_pixels_are_told_as_they_are(content):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RequestError, match="image 0 of x has 12000 x 12000 pixels, more than the 100000000"):
            check_images({"x": np.array([content], object)}, 10**8)


def test_a_large_png_is_told_with_its_true_size():
    content = encoded("PNG")
    claims = content[:16] + struct.pack(">II", 30_000, 30_000) + content[24:]
    with pytest.raises(RequestError, match="30000 x 30000"):
        check_images({"x": np.array([claims], object)}, 10**8)
