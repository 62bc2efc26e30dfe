"""Omniglot: handwritten characters of many alphabets, read from its zip files, which are not unpacked."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from zsltf.checks import check_choice, fail
from zsltf.data.collection import Collection, named_classes
from zsltf.data.decode import decode
from zsltf.data.few_shot_images import FewShotImages
from zsltf.data.few_shot_layouts import ClassParts
from zsltf.data.image_array import ImageArray

__all__ = ["SIZE", "OmniglotSource", "read_omniglot", "with_quarter_turns"]

SIZE = 28
"""Height and width in pixels, as in the few-shot papers."""
_MOST_FILES, _MOST_BYTES = 100_000, 2**16  # the whole data set has 32,460 drawings of about 250 bytes


@dataclass(frozen=True, kw_only=True)
class OmniglotSource:
    """Which alphabets are learnt from, chosen on and tested on; every character is four classes, by quarter turns.

    The two small background sets share Greek and Latin, so the second one is tested on its other alphabets only.

    Source: Lake, Salakhutdinov & Tenenbaum, "Human-level concept learning through probabilistic program induction",
    Science 2015; rotations as new classes after Vinyals et al., "Matching networks for one shot learning", NIPS 2016.
    """

    data: Path
    """Folder of images_background_small1.zip and images_background_small2.zip."""
    validation: tuple[str, ...] = ("Early_Aramaic",)
    """Alphabets of the first to choose on; its others are the base classes."""
    novel: tuple[str, ...] = ("Japanese_(katakana)", "Sanskrit", "Tagalog")
    """Alphabets of the second to test on."""

    def load(self) -> FewShotImages:
        """Read both.

        Raises:
            ValueError: if a file is missing or broken, or lacks an alphabet; or if one is in two parts.
        """
        first = read_omniglot(self.data / "images_background_small1.zip")
        for name in self.validation:
            check_choice("validation alphabet", name, _alphabets(first))
        second = read_omniglot(self.data / "images_background_small2.zip", self.novel)
        shared = sorted(_alphabets(first) & _alphabets(second))
        if shared:
            fail("novel alphabets", "ones that are not in the first set", ", ".join(shared), "Leave them out.")
        both = with_quarter_turns(_joined(first, second))
        roles: dict[str, list[str]] = {"base": [], "validation": [], "novel": []}
        for name in both.classes.names:
            alphabet = _alphabet(name)
            novel = "novel" if alphabet in self.novel else "base"
            roles["validation" if alphabet in self.validation else novel].append(name)
        return FewShotImages(collection=both, parts=ClassParts.of_names(roles, both.classes, "alphabets"))


def read_omniglot(archive: Path, alphabets: Sequence[str] | None = None) -> Collection:
    """Drawings of a zip file of Omniglot as RGB images of 28 x 28 pixels, black on white; a class is a character.

    Args:
        archive: as published: folders SET/ALPHABET/CHARACTER of PNG files.
        alphabets: that are wanted, as their folders are called; by default all.

    Raises:
        ValueError: if the file is none such, has an entry that is too big, or lacks an alphabet.
    """
    pixels, names = [], []
    try:
        with zipfile.ZipFile(archive) as file:
            entries = list(_drawings(archive, file))
            for name in alphabets or ():
                check_choice(f"{archive}: alphabet", name, {_alphabet(character) for character, _ in entries})
            for character, entry in entries:
                if alphabets is None or _alphabet(character) in alphabets:
                    pixels.append(decode(_read(archive, file, entry), SIZE))
                    names.append(character)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        fail(str(archive), "a zip file of Omniglot", str(error), "Download it again.")
    if not pixels:
        fail(str(archive), "drawings in SET/ALPHABET/CHARACTER/*.png", "none", "Download it again.")
    table, y = np.unique(names, return_inverse=True)
    return Collection(images=ImageArray(pixels=np.stack(pixels), y=y), classes=named_classes(table.tolist()))


def with_quarter_turns(collection: Collection) -> Collection:
    """Each class turned to the left by 0, 90, 180 and 270 degrees: four classes, the upright ones first.

    Args:
        collection: square images in memory.
    """
    images, names = _in_memory(collection), collection.classes.names
    pixels = np.concatenate([np.rot90(images.pixels, turns, axes=(1, 2)) for turns in range(4)])
    y = np.concatenate([images.y + turns * len(names) for turns in range(4)])
    turned = [*names, *(f"{name} turned by {90 * turns}" for turns in (1, 2, 3) for name in names)]
    return Collection(images=ImageArray(pixels=pixels, y=y), classes=named_classes(turned))


def _drawings(archive: Path, file: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """ALPHABET/CHARACTER of each PNG file, in the order of their names."""
    found = sorted(file.infolist(), key=lambda entry: entry.filename)
    if len(found) > _MOST_FILES:
        fail(str(archive), f"at most {_MOST_FILES:,} entries", f"{len(found):,}", "Give a zip file of Omniglot.")
    for entry in found:
        path = PurePosixPath(entry.filename)
        if path.suffix == ".png" and len(path.parts) == 4:
            yield "/".join(path.parts[1:3]), entry


def _read(archive: Path, file: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with file.open(entry) as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        fail(f"{archive}: {entry.filename}", f"at most {_MOST_BYTES:,} bytes", "more", "Give a zip file of Omniglot.")
    return content


def _alphabet(name: str) -> str:
    return name.partition("/")[0]


def _alphabets(collection: Collection) -> set[str]:
    return {_alphabet(name) for name in collection.classes.names}


def _joined(*collections: Collection) -> Collection:
    """One after the other, each with classes of its own."""
    images = [_in_memory(one) for one in collections]
    starts = np.cumsum([0, *(len(one.classes) for one in collections)])
    y = np.concatenate([one.y + start for one, start in zip(images, starts, strict=False)])
    names = [name for one in collections for name in one.classes.names]
    pixels = np.concatenate([one.pixels for one in images])
    return Collection(images=ImageArray(pixels=pixels, y=y), classes=named_classes(names))


def _in_memory(collection: Collection) -> ImageArray:
    if not isinstance(collection.images, ImageArray):
        fail("quarter turns", "images in memory", type(collection.images).__name__, "Load them into an ImageArray.")
    return collection.images
