"""Word vectors from a GloVe or word2vec file."""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_finite, fail

__all__ = ["name_vectors", "read_word_vectors"]

_WIDEST = 100_000
"""Numbers of a vector: what a damaged header says must not be taken for a size."""

Numbers = Callable[[], Float[np.ndarray, " D"]]


def name_vectors(path: Path, names: Sequence[str]) -> Float[np.ndarray, "C D"]:
    """A vector a class name: the whole name's (killer_whale) where the file has it, else the mean of its words'.

    Args:
        path: see `read_word_vectors`.
        names: of classes; what is no letter and no digit stands between words.

    Raises:
        ValueError: naming every word that the file lacks.
    """
    words = [tuple("".join(c if c.isalnum() else " " for c in name).split()) for name in names]
    known = read_word_vectors(path, {word for split in words for word in (*split, *_joined(split))})
    missing = [w for split in words if not any(j in known for j in _joined(split)) for w in split if w not in known]
    if missing or not all(words):
        received = f"none for {', '.join(dict.fromkeys(missing)) or 'a name without a word'}"
        fix = "Rename the classes, or use a sentence encoder, which knows every word."
        fail(str(path), "a vector for every word of the class names", received, fix)
    return np.array([_vector(split, known) for split in words])


def read_word_vectors(path: Path, words: set[str]) -> dict[str, Float[np.ndarray, " D"]]:
    """The vectors of those of these words that the file has: as they are written, else in lower case, else in another.

    Args:
        path: `word number number ...` a line in UTF-8, after word2vec's line of two counts or without it; a .bin
            is word2vec's binary form; either may be compressed by gzip. It is read from beginning to end and never
            held in memory.
        words: to look for.

    Raises:
        ValueError: if there is no such file, a line has too few or too many numbers, or one of a word that is looked
            for is none, or not finite.
    """
    if not path.is_file():
        fail(str(path), "a file of word vectors", "none", "Check the path.")
    wanted: dict[str, list[str]] = {}
    for word in words:
        wanted.setdefault(word.lower(), []).append(word)
    best: dict[str, tuple[int, np.ndarray]] = {}
    rows = _binary if path.name.removesuffix(".gz").endswith(".bin") else _text
    try:
        with _opened(path) as file:
            for found, numbers in rows(path, file):
                for word in wanted.get(found.lower(), ()):
                    distance = (found != word) + (found not in (word, word.lower()))
                    if word not in best or distance < best[word][0]:
                        best[word] = distance, numbers()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        fail(str(path), "a whole gzip file", f"a damaged one ({error})", "Fetch the file again.")
    return {word: vector for word, (_, vector) in best.items()}


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path) if compressed else path.open("rb"))


def _joined(split: tuple[str, ...]) -> tuple[str, ...]:
    """A name of several words as files write it in one."""
    return tuple(mark.join(split) for mark in ("_", "-"))


def _vector(split: tuple[str, ...], known: dict[str, np.ndarray]) -> np.ndarray:
    whole = next((known[joined] for joined in _joined(split) if joined in known), None)
    return np.mean([known[word] for word in split], axis=0) if whole is None else whole


def _text(path: Path, file: BinaryIO) -> Iterator[tuple[str, Numbers]]:
    width = rows = 0
    promised: int | None = None
    for number, raw in enumerate(file, 1):
        line = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\t", b" ").rstrip()
        if not line:
            continue
        counts = line.split() if number == 1 else ()
        if len(counts) == 2 and all(map(bytes.isdigit, counts)):  # word2vec's
            promised, width = map(int, counts)
            continue
        width = width or sum(1 for _ in takewhile(_is_number, reversed(line.split()[1:])))
        plain = width > 0 and line.count(b" ") == width
        word, numbers = line.split(b" ", 1) if plain else _irregular(path, number, line.split(), width)
        rows += 1
        yield word.decode(errors="replace"), partial(_parsed, path, number, width, word, numbers)
    if promised is not None and rows != promised:
        fail(str(path), f"{promised} words, as its first line says", str(rows), "Fetch the file again.")


def _irregular(path: Path, number: int, cells: Sequence[bytes], width: int) -> tuple[bytes, bytes]:
    """A word may hold a space itself, but no number at its end; several spaces may stand between numbers."""
    if not width or len(cells) <= width or (len(cells) > width + 1 and _is_number(cells[-width - 1])):
        _fail_line(path, number, width, cells)
    return b" ".join(cells[:-width]), b" ".join(cells[-width:])


def _fail_line(path: Path, number: int, width: int, cells: Sequence[bytes]) -> NoReturn:
    where, line = f"{path}, line {number}", b" ".join(cells)
    if b"\0" in line or "\ufffd" in line.decode(errors="replace"):
        fail(where, "text", "binary data", "Unpack the file, or end its name in .bin if it is word2vec's binary form.")
    odd = [cell for cell in cells[-width:] if not _is_number(cell)] if len(cells) == width + 1 else ()
    received = f"{odd[0].decode()!r:.40}" if odd else f"{len(cells) - 1} behind {cells[0].decode()!r:.40}"
    fail(where, f"a word and {width or 'its'} numbers", received, "Mend the line, or fetch the file again.")


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parsed(path: Path, number: int, width: int, word: bytes, numbers: bytes) -> Float[np.ndarray, " D"]:
    cells = numbers.split()
    if len(cells) != width or not all(map(_is_number, cells)):
        _fail_line(path, number, width, [word, *cells])
    return _finite(f"{path}, line {number}", np.array(cells, np.float32))


def _finite(where: str, vector: Float[np.ndarray, " D"]) -> Float[np.ndarray, " D"]:
    check_finite(where, vector, "Fetch the file again.")
    return vector


def _binary(path: Path, file: BinaryIO) -> Iterator[tuple[str, Numbers]]:
    header = file.readline(64).split()
    if len(header) != 2 or not all(part.isdigit() for part in header):
        fail(str(path), "word2vec's binary form, which begins with two counts", "another", "Rename it if it is text.")
    if not 0 < int(header[1]) <= _WIDEST:
        fail(str(path), f"vectors of 1 to {_WIDEST} numbers", header[1].decode(), "Fetch the file again.")
    count, width = int(header[0]), 4 * int(header[1])
    for number in range(1, count + 1):
        word = bytearray()
        while (character := file.read(1)) not in (b" ", b""):
            word += character
        content = file.read(width)
        if len(content) < width:
            fail(str(path), f"{count} words", f"{number - 1} whole ones", "Fetch the file again.")
        yield bytes(word).lstrip(b"\n").decode(errors="replace"), partial(_unpacked, f"{path}, word {number}", content)


def _unpacked(where: str, content: bytes) -> Float[np.ndarray, " D"]:
    return _finite(where, np.frombuffer(content, "<f4"))
