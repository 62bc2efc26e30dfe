"""How many pixels an encoded image claims, by its header alone: a decoder would fill memory first and tell then.

The formats are those of TensorFlow's decode_image. Headers that its decoders take, though others don't, are read, too.
"""

import re
import struct
from collections.abc import Callable

__all__ = ["image_size"]

_MOST_PARTS = 2**12
"""Segments of a JPEG, or blocks of a GIF beyond one every 16 bytes: with more, looking would take too long."""
_FRAME_OF_JPEG = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_NEXT_MARKER = re.compile(rb"\xff([^\x00\xff])")
_BMP_HEADERS = frozenset((40, 52, 56, 64, 108, 124))


def image_size(content: bytes) -> tuple[int, ...]:
    """Width and height in pixels, and the number of frames of an animated GIF; nothing where it is no image.

    Raises:
        ValueError: if it is an image whose size isn't told.
    """
    reader = _READERS.get(content[:2])
    if reader is None:
        return ()
    try:
        return reader(content)
    except (struct.error, IndexError) as error:
        raise ValueError("an image that ends before it tells its size") from error


def _png(content: bytes) -> tuple[int, ...]:
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return ()
    if content[12:16] != b"IHDR":
        raise ValueError("a PNG without a header")
    return struct.unpack_from(">II", content, 16)


def _jpeg(content: bytes) -> tuple[int, ...]:
    """Of its first frame; bytes between segments are passed over, as libjpeg does."""
    if not content.startswith(b"\xff\xd8\xff"):
        return ()
    position = 2
    for _ in range(_MOST_PARTS):
        found = _NEXT_MARKER.search(content, position)
        if found is None:
            break
        marker, position = found[1][0], found.end()
        if marker in _FRAME_OF_JPEG:
            height, width = struct.unpack_from(">HH", content, position + 3)
            return width, height
        if marker not in _WITHOUT_LENGTH:
            position += max(2, struct.unpack_from(">H", content, position)[0])
    raise ValueError("a JPEG without a frame")


def _gif(content: bytes) -> tuple[int, ...]:
    """Of its screen or its largest frame; TensorFlow makes room for each frame."""
    if content[:6] not in (b"GIF87a", b"GIF89a"):
        return ()
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    position, frames, blocks = 13 + _gif_colours(flags), 0, 0
    while content[position : position + 1] in (b"!", b","):
        if content[position] == ord(","):
            frame_width, frame_height, flags = struct.unpack_from("<HHB", content, position + 5)
            width, height, frames = max(width, frame_width), max(height, frame_height), frames + 1
            position += 11 + _gif_colours(flags)
        else:
            position += 2
        while position < len(content) and content[position]:
            position, blocks = position + 1 + content[position], blocks + 1
            if blocks > _MOST_PARTS + len(content) // 16:
                raise ValueError("a GIF of too many blocks")
        position += 1
    if frames < 2:
        return (width, height) if frames else ()
    return width, height, frames


def _gif_colours(flags: int) -> int:
    """Bytes of a table."""
    return 3 * 2 ** (flags % 8 + 1) if flags & 0x80 else 0


def _bmp(content: bytes) -> tuple[int, ...]:
    """What begins with BM may be a text; TensorFlow takes none that claims more than its bytes hold."""
    if len(content) < 26 or int.from_bytes(content[14:18], "little") not in _BMP_HEADERS:
        return ()
    width, height = struct.unpack_from("<ii", content, 18)
    return abs(width), abs(height)  # a negative height is told from the top


def _webp(content: bytes) -> tuple[int, ...]:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return ()
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind != b"VP8X":
        raise ValueError("a WebP without a header")
    flags, *edges = struct.unpack_from("<B3xHBHB", content, 20)
    if flags & 0x02:  # TensorFlow 2.21 writes beyond the memory of its frames
        raise ValueError("an animated WebP, of which TensorFlow's decoder breaks")
    return edges[0] + (edges[1] << 16) + 1, edges[2] + (edges[3] << 16) + 1


def _jpeg_xl(content: bytes) -> tuple[int, ...]:
    if content.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        raise ValueError("a JPEG XL, whose size this server doesn't read")
    return ()


_READERS: dict[bytes, Callable[[bytes], tuple[int, ...]]] = {
    b"\x89P": _png,
    b"\xff\xd8": _jpeg,
    b"GI": _gif,
    b"BM": _bmp,
    b"RI": _webp,
    b"\xff\x0a": _jpeg_xl,
    b"\0\0": _jpeg_xl,
}
