"""Pretrained weights: published ones, a file of the user's or a run folder, loaded or refused with a way out."""

import hashlib
import itertools
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.files import sha256
from zsltf.pretrained.backbone import Provenance
from zsltf.pretrained.checkpoint import checkpoint_files, read_checkpoint
from zsltf.pretrained.fetch import PublishedWeights
from zsltf.pretrained.h5 import load_h5, read_legacy_h5

__all__ = ["PublishedWeights", "hash_files", "load_weights"]


def load_weights(
    model: keras.Model, weights: str | Path | None, published: PublishedWeights | None = None
) -> Provenance:
    """Fill `model` from what `weights` names.

    Args:
        model: what is filled.
        weights: "imagenet"; a .h5, .weights.h5 or .keras file; a SavedModel folder; the prefix of a TensorFlow
            checkpoint; or a run folder of ours, whose embedding goes through the layers of `model` and has more after
            them. None and "random" leave the model as it is.
        published: what "imagenet" stands for.

    Raises:
        ValueError: if there is nothing of the kind, or it holds another architecture: the first layer that differs is
            named.
    """
    if weights in (None, "random"):
        return Provenance(source="random")
    if weights != "imagenet":
        return Provenance(source=str(weights), sha256=_fill(model, Path(str(weights)), "Give a file of that network."))
    if published is None:
        fail(
            "weights",
            "a local file or None",
            "'imagenet'",
            f"{model.name} has no published ones: pass --weights random.",
        )
    path = published.fetch()
    digest = _fill(model, path, f"Delete {path} to fetch it again.")
    published.remember(path)
    return Provenance(source="imagenet", sha256=digest, licence=published.licence)


def _fill(model: keras.Model, path: Path, fix: str) -> str:
    """Load, and hash what was loaded."""
    files = _files(path)
    if not files:
        fail("weights", "'imagenet', 'random' or a weights file", f"'{path}'", "Check the path.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns of what the error below says better
            _load(model, path)
    except (ValueError, OSError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        fail(str(path), f"the weights of {model.name}", reason, fix)
    return hash_files(files)


def hash_files(files: Sequence[Path]) -> str:
    """The SHA-256 of a file, or of several files' ones."""
    digests = [sha256(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _files(path: Path) -> list[Path]:
    """What is read of a file, a folder or a prefix."""
    if path.is_file():
        return [path]
    if (path / "saved_model.pb").is_file():
        return checkpoint_files(path / "variables" / "variables")
    if (path / "model.keras").is_file():
        return [path / "model.keras"]
    return checkpoint_files(path)


def _load(model: keras.Model, path: Path) -> None:
    if (path / "model.keras").is_file():
        _load_model(model, path / "model.keras")
    elif path.suffix == ".keras":
        _load_model(model, path)
    elif not path.is_file():
        inside = path / "variables" / "variables"
        saved = read_checkpoint(inside if inside.parent.is_dir() else path)
        _assign(model.weights, saved, same_names=True)
    elif saved := read_legacy_h5(path):
        layers = (layer.trainable_weights + layer.non_trainable_weights for layer in model.layers)  # the file's order
        _assign([weight for layer in layers for weight in layer], saved)
    else:
        load_h5(model, path)


def _load_model(model: keras.Model, path: Path) -> None:
    """From a whole model in safe mode: layer by layer in order or, in a Classifier, by name."""
    saved = keras.saving.load_model(path, compile=False, safe_mode=True)
    weights = _weights_by_layer(model, saved) if isinstance(saved, Classifier) else saved.weights
    _assign(model.weights, [(weight.path, keras.ops.convert_to_numpy(weight)) for weight in weights])


def _weights_by_layer(model: keras.Model, classifier: Classifier) -> list[Any]:
    """The weights of the layers that are called as the model's."""
    layers: dict[str, keras.layers.Layer] = {}
    for layer in _layers(classifier.embed):
        layers.setdefault(layer.name, layer)
    wanted = [layer for layer in model.layers if layer.weights]
    missing = next((layer.name for layer in wanted if layer.name not in layers), None)
    if missing:
        raise ValueError(f"a Classifier without a layer '{missing}'")
    return [weight for layer in wanted for weight in layers[layer.name].weights]


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _assign(weights: Sequence[Any], saved: Sequence[tuple[str, np.ndarray]], *, same_names: bool = False) -> None:
    """Give each weight its value, if all of them fit; a difference is told by the first."""
    for weight, pair in itertools.zip_longest(weights, saved):
        name, shape = ("nothing", None) if pair is None else (f"'{pair[0]}' of shape {pair[1].shape}", pair[1].shape)
        if weight is None:
            raise ValueError(f"more: {name}")
        kind = weight.name if same_names else ""  # of Keras 2, "depthwise_kernel" for one, ends as it does now
        if shape != tuple(weight.shape) or not pair[0].endswith(kind):
            raise ValueError(f"{name} in place of '{weight.path}' of shape {tuple(weight.shape)}")
    for weight, (_, value) in zip(weights, saved, strict=True):
        weight.assign(value)
