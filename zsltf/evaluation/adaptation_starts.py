"""Two domains as a network takes them: frozen features, or images that a small network is trained on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import keras

from zsltf.backbones.conv4 import conv4
from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.domain_pair import DomainPair
from zsltf.data.features import Features
from zsltf.data.images import OnCorrupt
from zsltf.pretrained.backbone import Backbone, Provenance
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features
from zsltf.training.batch_norm import batch_norm_layers

__all__ = ["DomainStart", "StartChoice", "bottleneck", "from_frozen", "from_images"]

_MOMENTUM = 0.9
"""Of BatchNorm: under Keras's 0.99 the statistics of a few hundred steps are still those of the start."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DomainStart:
    """Examples of both domains, and the network on them before any training."""

    backbone: Backbone
    """What the report names; of trained images, the network itself."""
    source: Features
    target: Features
    network: Callable[[int], keras.Model]
    """Of a seed, new."""
    ships: Callable[[Classifier], Classifier]
    """From a Classifier of examples to one of images."""
    skipped: Mapping[str, str]
    """Image that could not be decoded -> reason."""


@dataclass(frozen=True, kw_only=True)
class StartChoice:
    """What is adapted: a layer on a backbone's features, or a small network on the images."""

    features: BackboneChoice = field(default_factory=BackboneChoice)
    units: int = 256
    """Of the layer that is trained on the features."""
    pixels: int | None = None
    """Train a small network from scratch instead, on images brought to so many pixels a side."""
    filters: int = 32
    """Of each of its four convolutions, a multiple of 8."""

    def __post_init__(self) -> None:
        check_positive("StartChoice", units=self.units, filters=self.filters)
        if self.pixels is not None:
            check_positive("StartChoice", pixels=self.pixels)

    def build(self, pair: DomainPair) -> DomainStart:
        """Read the images of both domains."""
        if self.pixels is not None:
            return from_images(pair, size=self.pixels, filters=self.filters)
        return from_frozen(pair, self.features.build(), units=self.units)


def from_frozen(pair: DomainPair, backbone: Backbone, *, units: int, on_corrupt: OnCorrupt = "skip") -> DomainStart:
    """Features of a backbone that stays as it is, under a bottleneck that is trained.

    Args:
        pair: images of both domains.
        backbone: from images to features.
        units: of the bottleneck.
        on_corrupt: see `extract_features`.
    """
    found = [extract_features(backbone, images, on_corrupt=on_corrupt) for images in (pair.source, pair.target)]
    return DomainStart(
        backbone=backbone,
        source=found[0].features,
        target=found[1].features,
        network=lambda seed: bottleneck(backbone.feature_size, units, seed),
        ships=lambda classifier: classifier.after(backbone.features(), preprocess=backbone.preprocess),
        skipped={**found[0].skipped, **found[1].skipped},
    )


def from_images(pair: DomainPair, *, size: int, filters: int, on_corrupt: OnCorrupt = "skip") -> DomainStart:
    """Preprocessed images under a small network with random weights: Conv4, with BatchNorm.

    Args:
        pair: images of both domains.
        size: height and width in pixels that they are brought to, >= 16.
        filters: of each convolution, a multiple of 8.
        on_corrupt: see `extract_features`.
    """
    small = conv4(size=size, filters=filters)
    pixels = keras.Sequential([keras.Input((size, size, 3)), keras.layers.Identity()], name="pixels")
    source = Backbone(
        name=f"pixels_{size}",
        model=keras.Model(pixels.inputs, pixels.outputs[0]),
        preprocess=small.preprocess,
        stages={},
        weights=Provenance(source="random"),
    )
    found = [
        extract_features(source, images, maps=True, on_corrupt=on_corrupt) for images in (pair.source, pair.target)
    ]
    return DomainStart(
        backbone=small,
        source=found[0].features,
        target=found[1].features,
        network=lambda seed: _convolutions(size, filters, seed),
        ships=lambda classifier: classifier.on_images(small.preprocess),
        skipped={**found[0].skipped, **found[1].skipped},
    )


def bottleneck(width: int, units: int, seed: int) -> keras.Model:
    """One dense layer with BatchNorm and ReLU.

    Args:
        width: of the features.
        units: of the layer.
        seed: of its weights.
    """
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    x = keras.Input((width,))
    inside = layers.Dense(units, use_bias=False, name="bottleneck")(x)
    inside = layers.BatchNormalization(momentum=_MOMENTUM, name="bottleneck_bn")(inside)
    return keras.Model(x, layers.ReLU(name="bottleneck_relu")(inside), name="bottleneck")


def _convolutions(size: int, filters: int, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    network = conv4(size=size, filters=filters).features()
    for layer in batch_norm_layers(network):
        layer.momentum = _MOMENTUM
    return network
