"""A backbone under its heads: one flat Keras graph whose stages can be frozen and cut."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from jaxtyping import Float

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.pretrained.backbone import Backbone, Precision, copy_weights
from zsltf.pretrained.cut import cut
from zsltf.protocols import Head
from zsltf.training.batch_norm import batch_norm_layers, freeze
from zsltf.training.phases import HEAD, Phase

__all__ = ["Network"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Preprocessed images (B, size, size, 3) to one array of scores a head."""

    backbone: Backbone
    heads: Mapping[str, Head]
    classes: ClassTable
    model: keras.Model
    """Outputs in the order of the heads."""
    embeddings: Mapping[str, Any]
    """Head -> the symbolic tensor A of its embeddings."""

    @classmethod
    def build(cls, backbone: Backbone, heads: Mapping[str, Head], classes: ClassTable) -> "Network":
        """Put the heads on the backbone's pooled features; the backbone's layers are shared, not copied."""
        features = backbone.features()
        ends = {
            name: head.build(features.output, head.objective.num_outputs(classes), name) for name, head in heads.items()
        }
        model = keras.Model(features.input, [scores for _, scores in ends.values()], name="network")
        embeddings = {name: a for name, (a, _) in ends.items()}
        return cls(backbone=backbone, heads=heads, classes=classes, model=model, embeddings=embeddings)

    def with_precision(self, policy: Precision) -> "Network":
        """A copy whose backbone computes under a Keras dtype policy; its weights are float32."""
        copy = Network.build(self.backbone.with_precision(policy), self.heads, self.classes)
        copy_weights(self.model, copy.model)
        for own, other in zip(self.model.weights, copy.model.weights, strict=True):
            other.constraint = own.constraint
        return copy

    @property
    def stages(self) -> dict[str, tuple[str, ...]]:
        """Stage -> its layers, from the image upwards; the heads are the last one."""
        own = {layer.name for layer in self.backbone.model.layers}
        above = tuple(layer.name for layer in self.model.layers if layer.name not in own)
        return {**{stage: tuple(layers) for stage, layers in self.backbone.stages.items()}, HEAD: above}

    def freeze(self, phase: Phase) -> None:
        """Let the phase's stages train and no other; BatchNorm as its policy says."""
        stages = self.stages
        trained = {layer for stage in phase.trained(list(stages)) for layer in stages[stage]}
        for layer in self.model.layers:
            layer.trainable = layer.name in trained
        if phase.batch_norm != "train":
            freeze(batch_norm_layers(self.backbone.model))

    def cut(self, phase: Phase) -> tuple[keras.Model | None, keras.Model]:
        """What the phase leaves alone, and what it trains with everything above."""
        stages = self.stages
        trained = {layer for stage in phase.trained(list(stages)) for layer in stages[stage]}
        random = {layer.name for layer in self.model.layers if layer.name in stages[HEAD] and _draws(layer)}
        weighted = {layer.name for layer in self.model.layers if layer.weights}
        return cut(self.model, (trained & weighted) | random)

    def weights_of(self, stage: str, *, trainable: bool = False) -> list[keras.Variable]:
        """A stage's weights, in order, or those that train; the counters of random numbers are none."""
        layers = [self.model.get_layer(name) for name in self.stages[stage]]
        return [weight for layer in layers for weight in (layer.trainable_weights if trainable else layer.weights)]

    def classifier(self, head: str, means: Float[np.ndarray, "C K"]) -> Classifier:
        """One head as a Classifier, from images.

        Args:
            head: its name.
            means: mean embedding of each class's training images.
        """
        embed = keras.Model(self.model.input, self.embeddings[head], name="embed")
        scores = self.model.get_layer(f"{head}_scores")
        built = self.heads[head].objective.classifier(embed, scores, self.classes, means)
        return built.on_images(self.backbone.preprocess)


def _draws(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.Dropout)
