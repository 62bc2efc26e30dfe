"""What the networks of keras.applications share: how they are built, and three ways to prepare pixels."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from zsltf.data.decode import Resize
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, stages_by_prefix
from zsltf.pretrained.catalogue import Family
from zsltf.pretrained.weights import PublishedWeights, load_weights

__all__ = ["Application", "bgr_centred", "renumbered", "standardised", "symmetric"]


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class Application:
    """How the networks of a family become backbones."""

    family: Family
    prepare: Callable[[int, Resize], Preprocess]
    """Size in pixels and resize policy -> preprocessing."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """More arguments of keras.applications' functions."""
    adapt: Callable[[keras.Model], keras.Model] = _same
    """From keras.applications' network, whose variables a published file holds, to the one to work with."""

    def build(
        self, name: str, network: Callable[..., keras.Model], weights: str | Path | None, resize: Resize
    ) -> Backbone:
        """A member of the family without its head.

        Args:
            name: of the member.
            network: keras.applications' function.
            weights: "imagenet", a local weights file, or None for random ones.
            resize: how an image gets to the network's size.
        """
        member, url = self.family.members[name], self.family.url
        model = network(include_top=False, weights=None, input_shape=(member.size, member.size, 3), **self.options)
        published = PublishedWeights(url=url.format(member.file), md5=member.checksum, licence=self.family.licence)
        if _is_published(weights):
            provenance = load_weights(model, weights, published)
            model = self.adapt(model)
        else:
            model = self.adapt(model)
            provenance = load_weights(model, weights)
        return Backbone(
            name=name,
            model=model,
            preprocess=self.prepare(member.size, resize),
            stages=stages_by_prefix(model, self.family.stages_of(name)),
            weights=provenance,
        )


def renumbered(model: keras.Model, replace: Callable[[keras.layers.Layer], keras.layers.Layer] = _same) -> keras.Model:
    """The same network, its unnamed layers numbered from 0, so that they are called alike in every session.

    Args:
        model: unnamed layers have the numbers that Keras was at when it was built.
        replace: from a layer to another one of that name, whose weights hold the same numbers in the same order.
    """
    names = _numbered_from_0(model)

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        layer = replace(layer)
        return layer.from_config({**layer.get_config(), "name": names[layer.name]})

    clone = keras.models.clone_model(model, clone_function=copy)
    for layer in (layer for layer in model.layers if layer.weights):
        twin = clone.get_layer(names[layer.name])
        pairs = zip(layer.get_weights(), twin.weights, strict=True)
        twin.set_weights([value.reshape(variable.shape) for value, variable in pairs])
    return clone


def _numbered_from_0(model: keras.Model) -> dict[str, str]:
    """Name of each layer -> the new one: "conv2d_94" is the name that Keras itself gives to a Conv2D."""
    names, counts = {}, Counter[str]()
    for operation in model.operations:  # layers, and additions and the like that are written as such
        base = re.sub(r"_\d+$", "", operation.name)
        unnamed = base.replace("_", "") == type(operation).__name__.lower()
        names[operation.name] = f"{base}_{counts[base]}" if unnamed else operation.name
        counts[base] += unnamed
    return names


def bgr_centred(size: int, resize: Resize) -> Preprocess:
    """Blue, green, red, each less its ImageNet mean: as in Caffe."""
    return Preprocess(size, mean=(103.939, 116.779, 123.68), channels="bgr", resize=resize)


def standardised(size: int, resize: Resize) -> Preprocess:
    """Mean 0 and standard deviation 1 over ImageNet: as in PyTorch."""
    return Preprocess(size, mean=(123.675, 116.28, 103.53), scale=(58.395, 57.12, 57.375), resize=resize)


def symmetric(size: int, resize: Resize, *, middle: float = 127.5) -> Preprocess:
    """[-1, 1], or nearly so where `middle` is 128."""
    return Preprocess(size, mean=(middle,) * 3, scale=(middle,) * 3, resize=resize)


def _is_published(weights: str | Path | None) -> bool:
    """Whether a file is as the publisher wrote it: Keras 3 itself writes .weights.h5 and .keras only."""
    name = str(weights).lower()
    return name == "imagenet" or (name.endswith(".h5") and not name.endswith(".weights.h5"))
