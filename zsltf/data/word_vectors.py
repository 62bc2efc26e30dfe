"""Word vectors from a GloVe or word2vec file."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from zsltf.checks import fail

__all__ = ["name_vectors", "read_word_vectors"]

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
    """The vectors of those of these words that the file has, as they are written or in lower case.

    Args:
        path: `word number number ...` a line in UTF-8, after word2vec's line of two counts or without it; a .bin
            is word2vec's binary form. It is read from beginning to end and never held in memory.
        words: to look for.

    Raises:
        ValueError: if there is no such file, or a line has too few numbers.
    """
    if not path.is_file():
        fail(str(path), "a file of word vectors", "none", "Check the path.")
    spelled = {word.encode(): word for word in words}
    lower = {word.lower().encode(): word for word in words}
    exact: dict[str, np.ndarray] = {}
    similar: dict[str, np.ndarray] = {}
    for word, numbers in (_binary if path.suffix == ".bin" else _text)(path):
        if word in spelled:
            exact[spelled[word]] = numbers()
        elif word in lower:
            similar[lower[word]] = numbers()
    return similar | exact


def _joined(split: tuple[str, ...]) -> tuple[str, ...]:
    """A name of several words as files write it in one."""
    return tuple(mark.join(split) for mark in ("_", "-"))


def _vector(split: tuple[str, ...], known: dict[str, np.ndarray]) -> np.ndarray:
    whole = next((known[joined] for joined in _joined(split) if joined in known), None)
    return np.mean([known[word] for word in split], axis=0) if whole is None else whole


def _text(path: Path) -> Iterator[tuple[bytes, Numbers]]:
    width = 0
    with path.open("rb") as file:
        for number, line in enumerate(map(bytes.rstrip, file), 1):
            count = line.count(b" ")
            if number == 1 and count == 1:  # word2vec's counts
                continue
            width = width or count
            if count < width:
                fail(
                    f"{path}, line {number}", f"a word and {width} numbers", f"{count} numbers", "Fetch the file again."
                )
            word = line.rsplit(b" ", width)[0]  # which may hold a space itself
            yield word, partial(_parsed, line, len(word))


def _parsed(line: bytes, start: int) -> Float[np.ndarray, " D"]:
    return np.array(line[start:].split(), np.float32)


def _binary(path: Path) -> Iterator[tuple[bytes, Numbers]]:
    with path.open("rb") as file:
        header = file.readline(64).split()
        if len(header) != 2 or not all(part.isdigit() for part in header):
            fail(
                str(path), "word2vec's binary form, which begins with two counts", "another", "Rename it if it is text."
            )
        count, width = int(header[0]), 4 * int(header[1])
        for number in range(1, count + 1):
            word = bytearray()
            while (character := file.read(1)) not in (b" ", b""):
                word += character
            content = file.read(width)
            if len(content) < width:
                fail(str(path), f"{count} words", f"{number - 1} whole ones", "Fetch the file again.")
            yield bytes(word).lstrip(b"\n"), partial(np.frombuffer, content, "<f4")
