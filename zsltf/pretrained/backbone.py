"""A backbone: a network without its head, its named stages, its preprocessing and where its weights come from."""

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import keras
import numpy as np

from zsltf.checks import fail
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.catalogue import Starts

__all__ = ["Backbone", "Precision", "Provenance", "copy_weights", "stages_by_prefix"]

Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
"""A Keras dtype policy: of arithmetic; weights are float32 under each of them."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where weights come from: for the report, the manifest and the cache key."""

    source: str
    """What was asked for: "imagenet", "random", a path or a package."""
    sha256: str = ""
    """Of the file that was read; empty for random weights."""
    licence: str = ""


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """Everything between an image and its features.

    Raises:
        ValueError: if the stages don't hold each layer with weights exactly once.
    """

    name: str
    model: keras.Model
    """Preprocessed images (B, size, size, 3) to feature maps (B, h, w, D)."""
    preprocess: Preprocess
    stages: Mapping[str, Sequence[str]]
    """Stage name -> names of its layers, from the image upwards."""
    weights: Provenance
    head: keras.layers.Layer | None = field(default=None)
    """The pretrained classifier on pooled features (B, D) -> logits, where the weights bring one."""

    def __post_init__(self) -> None:
        staged = sorted(name for layers in self.stages.values() for name in layers)
        expected = sorted(layer.name for layer in self.model.layers if layer.weights)
        if staged != expected:
            odd = sorted(set(staged) ^ set(expected)) or "a layer in two stages"
            fail(
                f"Backbone('{self.name}').stages", "each layer with weights in one stage", str(odd), "Mend the stages."
            )

    @property
    def feature_size(self) -> int:
        """D, the length of one pooled feature vector."""
        return int(self.model.output_shape[-1])

    def features(self) -> keras.Model:
        """Preprocessed images (B, size, size, 3) to features (B, D): the maps' average."""
        pool = keras.layers.GlobalAveragePooling2D(name="pool")
        return keras.Model(self.model.input, pool(self.model.output), name=self.name)

    def with_precision(self, policy: Precision) -> "Backbone":
        """A copy that computes under a Keras dtype policy; its weights are float32, equal and apart.

        Raises:
            ValueError: if a layer can't be made again from its configuration, or computes as it wants.
        """
        fix, what = "Leave the precision at float32.", f"{self.name} under {policy}"
        try:
            model = type(self.model).from_config(_under(policy, self.model.get_config()))
        except Exception as error:  # noqa: BLE001 (a configuration that doesn't load fails in every way)
            fail(what, "layers that can be made from their configuration", f"'{str(error)[:300]}'", fix)
        wanted = keras.DTypePolicy(policy).compute_dtype
        leaves = [layer for layer in model._flatten_layers(include_self=False) if not layer._layers]
        others = [layer.name for layer in leaves if layer.weights and layer.compute_dtype != wanted]
        if others:
            fail(what, "layers that follow a dtype policy", f"{', '.join(others[:5])}, which can't", fix)
        copy_weights(self.model, model)
        return replace(self, model=model)

    @property
    def fingerprint(self) -> str:
        """A hash of architecture, weights and preprocessing: equal fingerprints give equal features."""
        architecture = json.dumps(_numbered(json.loads(self.model.to_json()), {}))
        digest = hashlib.sha256(repr((self.name, architecture, self.preprocess.get_config())).encode())
        for variable in self.model.weights:
            value = np.ascontiguousarray(variable.numpy())
            digest.update(repr((value.shape, value.dtype.str)).encode())
            digest.update(value.reshape(-1).view(np.uint8).data)
        return digest.hexdigest()


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Give a model of the same layers another's weights, and the constraints that hold them."""
    for old, new in zip(source.weights, target.weights, strict=True):
        new.assign(old)
        new.constraint = old.constraint


def _under(policy: str, node: Any) -> Any:
    """A model's configuration with another dtype policy for each of its layers, nested ones too."""
    if isinstance(node, dict):
        if node.get("class_name") == "DTypePolicy":
            return {**node, "config": {"name": policy}}
        return {key: _under(policy, value) for key, value in node.items()}
    return type(node)(_under(policy, value) for value in node) if isinstance(node, list | tuple) else node


def _numbered(node: Any, numbers: dict[str, int], key: str = "") -> Any:
    """A serialised model with numbers for its layers' names, which Keras numbers on through a session."""
    if isinstance(node, dict) and not str(node.get("class_name")).endswith("DTypePolicy"):
        return {key: _numbered(value, numbers, key) for key, value in node.items()}
    if isinstance(node, list):
        return [_numbered(value, numbers, key) for value in node]
    if isinstance(node, str) and key in ("name", "keras_history", "input_layers", "output_layers"):
        return numbers.setdefault(node, len(numbers))
    return node


def stages_by_prefix(model: keras.Model, starts: Starts) -> dict[str, tuple[str, ...]]:
    """Stages as runs of layers: each from the first layer whose name has its prefix to where the next stage begins.

    Layers come in the graph's order, by depth: what lies before a tensor that alone crosses is before what lies after.

    Raises:
        ValueError: if no layer's name begins so.
    """
    table = starts if isinstance(starts, Mapping) else {start: start for start in starts}
    first = [_first(model, beginning) for beginning in table.values()]
    runs = itertools.pairwise([0, *first[1:], len(model.layers)])
    return {
        stage: tuple(layer.name for layer in model.layers[begin:end] if layer.weights)
        for stage, (begin, end) in zip(table, runs, strict=True)
    }


def _first(model: keras.Model, beginning: str) -> int:
    found = [i for i, layer in enumerate(model.layers) if layer.name.startswith(beginning)]
    if not found:
        fail(f"the stages of {model.name}", f"a layer whose name begins with '{beginning}'", "none", "Mend the stages.")
    return found[0]
