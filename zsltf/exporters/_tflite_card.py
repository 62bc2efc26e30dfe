"""The card of a TFLite file: in a zip archive at its end, where Android looks for metadata."""

import zipfile
import zlib
from pathlib import Path

from zsltf.artifacts.card import Card
from zsltf.artifacts.metadata import LABELS
from zsltf.checks import fail

__all__ = ["append_card", "read_card"]

_CARD = "zsltf.json"
_LARGEST_CARD = 2**26  # bytes


def append_card(path: Path, card: Card) -> None:
    """Put the card and the labels behind the file.

    Raises:
        ValueError: if the card is larger than 64 MiB.
    """
    text = card.to_json()
    if len(text) > _LARGEST_CARD:
        fail(str(path), f"a card of at most {_LARGEST_CARD} bytes", f"{len(text)}", "Leave classes or columns out.")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:  # all that MediaPipe reads
        for name, content in ((_CARD, text), (LABELS, "\n".join(card.names))):
            entry = zipfile.ZipInfo(name)  # without the time: the same table makes the same file
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)


def read_card(path: Path) -> Card:
    """The card of a file.

    Raises:
        ValueError: if there is none, or one that is damaged or larger than 64 MiB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_CARD).file_size > _LARGEST_CARD:
                fail(str(path), f"a card of at most {_LARGEST_CARD} bytes", "a larger one", "Export it again.")
            return Card.from_json(archive.read(_CARD), str(path))
    except (zipfile.BadZipFile, zlib.error, KeyError, RuntimeError, OSError) as error:
        received = f"one without its card ({error})"
        fail(str(path), "a TFLite file that zsltf wrote", received, "Export it with zsltf export.")
