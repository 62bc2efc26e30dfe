"""A SavedModel's folder: on disk, or downloaded from TensorFlow Hub."""

import hashlib
import os
import socket
from pathlib import Path

from zsltf.checks import fail

__all__ = ["hub_folder"]

_STALLED = 30.0  # seconds without a byte


def hub_folder(weights: str) -> Path:
    """The SavedModel on disk: downloaded if `weights` is an address.

    Raises:
        ValueError: if there is none.
    """
    path = Path(_resolve(weights) if weights.startswith(("https://", "http://")) else weights)
    if not (path / "saved_model.pb").is_file():
        fail("hub", "a folder with saved_model.pb, or a handle https://...", f"'{weights}'", "Check the path.")
    return path


def _resolve(handle: str) -> str:
    import tensorflow_hub

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_STALLED)
    try:
        return str(tensorflow_hub.resolve(handle))
    except Exception as error:  # noqa: BLE001 (of every kind)
        name = hashlib.sha1(handle.encode()).hexdigest()  # noqa: S324 (TensorFlow Hub's rule)
        cache = Path(os.environ.get("TFHUB_CACHE_DIR") or "FOLDER")
        fix = f"Unpack it into {cache / name} and set TFHUB_CACHE_DIR={cache}, or give the folder where it is unpacked."
        fail("hub", f"the SavedModel at {handle}", f"none ({error})", fix)
    finally:
        socket.setdefaulttimeout(before)
