"""Keras' two layouts of weights in HDF5: the legacy one of keras.applications, and that of Keras 3's .weights.h5."""

import itertools
import tempfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

__all__ = ["load_h5", "read_legacy_h5"]


def read_legacy_h5(path: Path) -> list[tuple[str, np.ndarray]]:
    """Name and value of each weight, layer by layer; none if the file has not this layout."""
    with h5py.File(path) as file:
        root = file.get("model_weights", file)  # a whole model's file has them one level down
        layers = [_own(root, name) for name in _texts(root, "layer_names")]
        return [(name, _own(layer, name)[...]) for layer in layers for name in _texts(layer, "weight_names")]


def _own(group: Any, name: str) -> Any:
    """An entry of the file itself: HDF5 can also point to other files of this computer."""
    entry = group[name]
    if (
        entry.file.filename != group.file.filename
        or getattr(entry, "external", None)
        or getattr(entry, "is_virtual", 0)
    ):
        raise ValueError(f"'{name}' that lies in another file")
    return entry


def _texts(group: Any, name: str) -> list[str]:
    """A list of texts, which Keras cuts into name0, name1, ... where it is too long for one attribute."""
    cut = itertools.takewhile(lambda key: key in group.attrs, (f"{name}{i}" for i in itertools.count()))
    texts = [text for key in ([name] if name in group.attrs else cut) for text in group.attrs[key]]
    return [text.decode() if isinstance(text, bytes) else str(text) for text in texts]


def load_h5(model: keras.Model, path: Path) -> None:
    """Fill the model from a file of Keras 3.

    Raises:
        ValueError: if it is not of this network; the first layer that differs is named.
    """
    try:
        if len(_shapes(path)) != len(model.weights):  # Keras leaves out the rest of a deeper network without a word
            raise ValueError
        model.load_weights(path)
    except (ValueError, KeyError) as error:
        raise ValueError(_difference(model, path) or str(error)) from error


def _difference(model: keras.Model, path: Path) -> str:
    """What the file has in place of a layer: found by writing the model's own, since paths in a file are not names."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "own.weights.h5"
        model.save_weights(own)
        expected, names = _shapes(own), _names(own)
    received = _shapes(path)
    places = {names.get(place): place for place in names}
    for layer in model.layers:
        inside = f"{places[layer.name]}/"
        for key in (key for key in expected if key.startswith(inside)):
            if received.get(key) != expected[key]:
                have = f"an array of shape {received[key]}" if key in received else "nothing"
                return f"{have} in place of one of shape {expected[key]} in layer '{layer.name}'"
    extra = next((key for key in received if key not in expected), None)
    return f"more: an array of shape {received[extra]} at '{extra}'" if extra else ""


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Place of each array -> its shape; a trained model's file holds its optimizer too, which doesn't count."""
    shapes: dict[str, tuple[int, ...]] = {}
    with h5py.File(path) as file:
        file.visititems(lambda key, item: shapes.update({key: item.shape} if isinstance(item, h5py.Dataset) else {}))
    return {key: shape for key, shape in shapes.items() if not key.startswith("optimizer")}


def _names(path: Path) -> dict[str, str]:
    """Place of each layer of the model -> its name."""
    with h5py.File(path) as file:
        return {f"layers/{key}": str(group["vars"].attrs["name"]) for key, group in file["layers"].items()}
