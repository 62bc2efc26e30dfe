"""Pretrained weights: a file of keras.applications or one of the user's, loaded or refused with a way out."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import h5py
import keras

from zsltf.checks import fail
from zsltf.files import sha256
from zsltf.pretrained.backbone import Provenance

__all__ = ["PublishedWeights", "load_weights"]


@dataclass(frozen=True, kw_only=True)
class PublishedWeights:
    """A weights file on the publisher's server, kept in Keras' own cache folder.

    Args:
        url: where it is.
        md5: the publisher's checksum, or "" where there is none.
        licence: as the publisher states it.
    """

    url: str
    md5: str
    licence: str

    def fetch(self) -> Path:
        """The cached file, downloaded and checked at first use.

        Raises:
            ValueError: if it is not cached and can't be downloaded; the message names the URL, the path and other ways.
        """
        name = self.url.rpartition("/")[2]
        home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")  # Keras' rule, which it keeps to itself
        options = {"cache_dir": str(home), "cache_subdir": "models", "file_hash": self.md5 or None}
        try:
            home.mkdir(parents=True, exist_ok=True)
            return Path(keras.utils.get_file(name, self.url, **options))
        except Exception as error:  # noqa: BLE001 (Keras raises a bare Exception)
            fail(
                "weights 'imagenet'",
                f"{self.url} or its copy at {home / 'models' / name}",
                f"neither ({error})",
                "Put the file there, give a local file with --weights FILE, start from --weights random, "
                "or take --backbone efficientnet_lite0, whose weights come with pip.",
            )


def load_weights(
    model: keras.Model, weights: str | Path | None, published: PublishedWeights | None = None
) -> Provenance:
    """Fill `model` from "imagenet" or a local .h5, .weights.h5 or .keras file; None and "random" leave it random.

    Raises:
        ValueError: if the file is missing or holds another architecture.
    """
    if weights in (None, "random"):
        return Provenance(source="random")
    if weights == "imagenet":
        if published is None:
            fail(
                "weights",
                "a local file or None",
                "'imagenet'",
                f"{model.name} has no published ones: pass --weights random.",
            )
        path, licence = published.fetch(), published.licence
    else:
        path, licence = Path(weights), ""
    if not path.is_file():
        fail("weights", "'imagenet', 'random' or a weights file", f"'{weights}'", "Check the path.")
    _load(model, path)
    return Provenance(source=str(weights), sha256=sha256(path), licence=licence)


def _load(model: keras.Model, path: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns of what the error below says better
            if path.suffix == ".keras":
                model.set_weights(keras.saving.load_model(path, compile=False, safe_mode=True).get_weights())
            else:
                _check_count(model, path)
                model.load_weights(path)
    except (ValueError, OSError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        fail(str(path), f"the weights of {model.name}", reason, "Give a file of that network.")


def _check_count(model: keras.Model, path: Path) -> None:
    """Keras fills what it finds and leaves out the rest of a deeper network without a word."""
    items: list[str] = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: items.append(name) if isinstance(item, h5py.Dataset) else None)
    arrays = [name for name in items if not name.startswith("optimizer")]  # a trained model's file holds its state too
    if len(arrays) != len(model.weights):
        raise ValueError(f"{len(arrays)} arrays for {len(model.weights)} weights")
