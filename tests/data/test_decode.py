import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from zsltf.data.decode import SUFFIXES, decode

COLOURS = dict(
    zip("abcdef", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (20, 20, 20)], strict=True)
)
STORED = {  # EXIF 2.32, tag 274: which side of the upright picture abc/def the file's first row and column are
    1: "abc def",  # top, left
    2: "cba fed",  # top, right
    3: "fed cba",  # bottom, right
    4: "def abc",  # bottom, left
    5: "ad be cf",  # left, top
    6: "cf be ad",  # right, top
    7: "fc eb da",  # right, bottom
    8: "da eb fc",  # left, bottom
}


def picture(letters, block=8):
    """A coloured square for each letter."""
    grid = np.array([[COLOURS[letter] for letter in row] for row in letters.split()], np.uint8)
    return grid.repeat(block, axis=0).repeat(block, axis=1)


def encoded(image, kind="PNG", **options):
    """Bytes of a file."""
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(width, height, depth, colour_type, rows):
    """A PNG file written by hand, chunk by chunk."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def shrunk(pixels, height, width):
    """Each pixel a mean of its neighbourhood, weighted by a triangle two output pixels wide."""

    def weights(length, size):
        distance = np.abs(np.arange(length) + 0.5 - (np.arange(size)[:, None] + 0.5) * length / size)
        hat = np.maximum(0, 1 - distance * size / length)
        return hat / hat.sum(axis=1, keepdims=True)

    rows, columns = weights(pixels.shape[0], height), weights(pixels.shape[1], width)
    return np.einsum("yh,hwc,xw->yxc", rows, np.asarray(pixels, float), columns).round()


def close(received, expected, within):
    assert received.dtype == np.uint8
    assert received.shape == np.shape(expected)
    assert np.abs(received.astype(int) - np.asarray(expected, int)).max() <= within


@pytest.mark.parametrize(
    ("kind", "options", "within"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("GIF", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 100, "subsampling": 0}, 3),
        ("JPEG", {"quality": 100, "subsampling": 0, "progressive": True}, 3),
    ],
)
def test_every_format_gives_its_pixels(tmp_path, kind, options, within):
    content = encoded(picture("abc def"), kind, **options)
    close(decode(content, 64), picture("abc def"), within)
    (tmp_path / "photo").write_bytes(content)  # the bytes say the format, not the suffix
    np.testing.assert_array_equal(decode(tmp_path / "photo", 64), decode(content, 64))


def test_lossy_webp_keeps_its_colour():
    close(
        decode(encoded(Image.new("RGB", (16, 12), (200, 30, 40)), "WEBP"), 64), np.full((12, 16, 3), (200, 30, 40)), 4
    )


def test_every_suffix_has_a_decoder():
    assert set(Image.registered_extensions()) >= SUFFIXES


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", STORED)
def test_exif_turns_the_picture_upright(kind, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    options = {"PNG": {}, "JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}[kind]
    content = encoded(picture(STORED[orientation]), kind, exif=exif, **options)
    close(decode(content, 64), picture("abc def"), 3 if kind == "JPEG" else 0)


@pytest.mark.parametrize("orientation", STORED)
def test_a_big_turned_jpeg_is_shrunk_upright(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    content = encoded(picture(STORED[orientation], 128), "JPEG", exif=exif, quality=100, subsampling=0)  # 384 x 256
    upright = picture("abc def", 128)
    close(decode(content, 12), shrunk(upright, 12, 12), 6)
    close(decode(content, 12, "crop"), shrunk(upright, 12, 18), 6)
    close(decode(content, 12, "pad"), shrunk(upright, 8, 12), 6)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"Exif\0\0no TIFF at all", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*"])
def test_broken_exif_does_not_cost_the_photo(exif):
    content = encoded(picture("abc def"), "JPEG", quality=100, subsampling=0, exif=exif)
    close(decode(content, 64), picture("abc def"), 3)


def grey(depth):
    return np.linspace(0, 2**depth - 1, 12 * 16).round().reshape(12, 16).astype(f"u{depth // 8}")


@pytest.mark.parametrize(("kind", "within"), [("PNG", 0), ("BMP", 0), ("JPEG", 4)])
def test_grey_has_three_equal_channels(kind, within):
    content = encoded(Image.fromarray(grey(8)), kind, **({"quality": 100} if kind == "JPEG" else {}))
    pixels = decode(content, 64)
    close(pixels, np.stack([grey(8)] * 3, -1), within)
    assert (pixels == pixels[..., :1]).all()


def test_16_bits_keep_their_range():
    expected = np.stack([grey(16) / 257] * 3, -1)  # 65535 / 257 = 255
    close(decode(encoded(Image.fromarray(grey(16))), 64), expected.round(), 1)
    colours = np.stack([grey(16), grey(16)[::-1], grey(16)[:, ::-1]], -1)
    content = png(16, 12, 16, 2, [row.astype(">u2").tobytes() for row in colours])
    close(decode(content, 64), (colours / 257).round(), 1)
    big = expected.repeat(8, 0).repeat(8, 1)
    close(decode(encoded(Image.fromarray(grey(16).repeat(8, 0).repeat(8, 1))), 12, "crop"), shrunk(big, 12, 16), 1)


def test_one_bit_and_palette_give_their_colours():
    stripes = np.tile([0, 255], (8, 4)).astype(np.uint8)
    close(decode(encoded(Image.fromarray(stripes).convert("1")), 64), np.stack([stripes] * 3, -1), 0)
    indexed = Image.fromarray(picture("abc def")).quantize(8)
    assert indexed.mode == "P"
    close(decode(encoded(indexed), 64), picture("abc def"), 0)


@pytest.mark.parametrize(
    ("ink", "colour"),
    [
        ((0, 255, 255, 0), (255, 0, 0)),
        ((255, 0, 255, 0), (0, 255, 0)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0,) * 4, (255,) * 3),
    ],
)
def test_cmyk_gives_the_printed_colour(ink, colour):
    content = encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100)
    assert Image.open(io.BytesIO(content)).mode == "CMYK"
    close(decode(content, 64), np.full((16, 16, 3), colour), 2)


@settings(deadline=None)
@given(hnp.arrays(np.uint8, (5, 4, 4)), st.sampled_from(["RGBA", "LA"]))
def test_alpha_is_laid_on_white(pixels, mode):
    pixels = pixels if mode == "RGBA" else pixels[..., :2]
    alpha = pixels[..., -1:] / 255.0
    expected = np.broadcast_to(pixels[..., :-1], (5, 4, 3)) * alpha + 255 * (1 - alpha)
    close(decode(encoded(Image.fromarray(pixels, mode)), 64), expected.round(), 1)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_a_transparent_colour_of_the_palette_is_white(kind):
    palette = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8).repeat(8, 0).repeat(8, 1), "P")
    palette.putpalette([10, 20, 30, 200, 0, 0, 0, 0, 200])
    image = palette if kind != "WEBP" else palette.copy()
    image.info["transparency"] = 0
    options = {"lossless": True} if kind == "WEBP" else {"transparency": 0}
    content = encoded(image.convert("RGBA") if kind == "WEBP" else image, kind, **options)
    expected = np.array([[[255] * 3, [200, 0, 0]], [[0, 0, 200], [255] * 3]]).repeat(8, 0).repeat(8, 1)
    close(decode(content, 64), expected, 0)


def test_one_transparent_colour_of_an_rgb_or_grey_png_is_white():
    content = encoded(Image.fromarray(picture("abc def")), transparency=COLOURS["e"])
    expected = picture("abc def")
    expected[8:, 8:16] = 255
    close(decode(content, 64), expected, 0)
    content = encoded(Image.fromarray(np.array([[7, 9]], np.uint8)), transparency=7)
    close(decode(content, 64), [[[255] * 3, [9] * 3]], 0)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(kind):
    frames = [Image.fromarray(picture(letters)) for letters in ("abc def", "fed cba", "bbb bbb")]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options)
    assert Image.open(io.BytesIO(content)).n_frames == 3
    close(decode(content, 64), picture("abc def"), 0)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_shrinking_is_a_mean_weighted_by_a_triangle(rows, columns, size, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (rows * size, columns * size, 3)).astype(np.uint8)
    expected = shrunk(pixels, min(rows * size, size), min(columns * size, size))
    close(decode(encoded(pixels), size), expected, 1)  # Pillow rounds twice: along x, then along y


@pytest.mark.parametrize(("policy", "factor"), [("crop", 3), ("pad", 6)])
def test_crop_and_pad_shrink_both_sides_alike(policy, factor):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 12, 3)).astype(np.uint8)
    close(decode(encoded(pixels), 4, policy), shrunk(pixels, 24 // factor, 12 // factor), 1)


def test_a_big_jpeg_is_averaged_not_sampled():
    rng = np.random.default_rng(0)
    smooth = rng.integers(40, 216, (24, 32, 3)).astype(np.uint8).repeat(20, 0).repeat(20, 1)
    noisy = np.clip(smooth + rng.normal(0, 20, smooth.shape), 0, 255).astype(np.uint8)
    content = encoded(noisy, "JPEG", quality=95, subsampling=0)
    whole = np.asarray(Image.open(io.BytesIO(content))).astype(float)
    close(decode(content, 24, "crop"), shrunk(whole, 24, 32), 6)


@pytest.mark.parametrize("policy", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(8, 6), (1, 1), (10, 10), (10, 1)])
def test_what_is_small_stays_as_it_is(policy, shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decode(encoded(pixels), 10, policy), pixels)


@pytest.mark.parametrize(
    ("policy", "shape", "expected"),
    [
        ("stretch", (30, 20), (10, 10)),
        ("stretch", (30, 5), (10, 5)),
        ("stretch", (5, 30), (5, 10)),
        ("crop", (30, 20), (15, 10)),
        ("crop", (30, 5), (30, 5)),
        ("crop", (11, 100), (10, 91)),
        ("pad", (30, 20), (10, 7)),
        ("pad", (30, 5), (10, 2)),
        ("pad", (1, 300), (1, 10)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_shapes_of_each_policy(policy, shape, expected, kind):
    pixels = np.zeros((*shape, 3), np.uint8)
    assert decode(encoded(pixels, kind), 10, policy).shape == (*expected, 3)


def test_a_truncated_jpeg_is_refused_by_name(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    content = encoded(photo, "JPEG")
    (tmp_path / "half.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"half\.jpg: expected a JPEG, PNG, GIF, BMP or WebP image, .*truncated.*Repl"):
        decode(tmp_path / "half.jpg", 32)


@pytest.mark.parametrize("content", [b"", b"a text file\n" * 50, b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_what_is_no_image_is_refused(tmp_path, content):
    with pytest.raises(
        ValueError, match=r"^image bytes: expected a JPEG.* what Pillow can't read .*Replace the file\.$"
    ):
        decode(content, 32)
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.jpg: expected a JPEG.*Replace the file\.$"):
        decode(tmp_path / "x.jpg", 32)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing.jpg"):
        with pytest.raises(ValueError, match=r"expected a JPEG.*(Is a directory|No such file).*Replace the file"):
            decode(path, 32)


def test_a_bomb_is_refused_before_it_is_unpacked():
    with pytest.raises(ValueError, match=r"image bytes: expected a JPEG.*decompression bomb"):
        decode(png(20_000, 10_000, 8, 2, []), 32)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP"]), st.floats(0, 1), st.binary(max_size=4))
def test_damage_gives_an_image_or_the_one_error(kind, where, damage):
    content = encoded(picture("abc def"), kind)
    cut = int(where * len(content))
    for broken in (content[:cut], content[:cut] + damage + content[cut + len(damage) :]):
        try:
            pixels = decode(broken, 16)
        except ValueError as error:
            assert str(error).endswith("Replace the file.")  # noqa: PT017 (either outcome is right)
        else:
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3
            assert max(pixels.shape) <= 16


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n"])
def test_bytes_of_no_format_are_told_without_an_address(content):
    expected = r"what Pillow can't read \(no header of these formats\)\. Replace the file\.$"
    with pytest.raises(ValueError, match=expected):
        decode(content, 8)
