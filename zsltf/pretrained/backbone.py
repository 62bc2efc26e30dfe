"""A backbone: a network without its head, its named stages, its preprocessing and where its weights come from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import keras
import numpy as np

from zsltf.checks import fail
from zsltf.layers.preprocess import Preprocess

__all__ = ["Backbone", "Provenance", "stages_by_prefix"]


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

    @cached_property
    def fingerprint(self) -> str:
        """A hash of architecture, weights and preprocessing: equal fingerprints give equal features."""
        architecture = self.model.to_json()
        for i, layer in enumerate(self.model.layers):  # Keras numbers unnamed layers on through a session
            architecture = architecture.replace(f'"{layer.name}"', f'"{i}"')
        digest = hashlib.sha256(repr((self.name, architecture, self.preprocess.get_config())).encode())
        for variable in self.model.weights:
            value = np.ascontiguousarray(variable.numpy())
            digest.update(repr((value.shape, value.dtype.str)).encode())
            digest.update(value.tobytes())
        return digest.hexdigest()


def stages_by_prefix(
    model: keras.Model, prefixes: Mapping[str, Sequence[str]] | Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Stages from layer names: stage -> the prefixes of its layers (a bare name is its own prefix)."""
    table = prefixes if isinstance(prefixes, Mapping) else {prefix: (prefix,) for prefix in prefixes}
    weighted = [layer.name for layer in model.layers if layer.weights]
    return {
        stage: tuple(name for name in weighted if name.startswith(tuple(starts))) for stage, starts in table.items()
    }
