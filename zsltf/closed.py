"""The closed head: trained as one layer, then a Classifier whose class vectors are that layer's kernel."""

from typing import Any, Literal

import keras
import numpy as np
from jaxtyping import Float

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.layers.centre import centring
from zsltf.solvers.imprinting import imprinting_frame

__all__ = ["ClassScores", "closed"]


@keras.saving.register_keras_serializable("zsltf")
class ClassScores(keras.layers.Layer):
    """Embeddings (B, K) to scores (B, C): similarity(a, kernel) + bias, both trained.

    Args:
        num_classes: C.
        similarity: layer from (B, K) and (C, K) to (B, C).
        use_bias: False for similarities that have no use for one, such as the cosine.
    """

    def __init__(
        self, num_classes: int, similarity: keras.layers.Layer, *, use_bias: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes, self.similarity, self.use_bias = num_classes, similarity, use_bias

    def build(self, input_shape: Any) -> None:
        """Glorot's uniform kernel, which is the same for (C, K) and (K, C), and a bias of 0."""
        shape = (self.num_classes, input_shape[-1])
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=shape[:1], initializer="zeros", trainable=self.use_bias)

    def call(self, a: Any) -> Any:
        return self.similarity(a, self.kernel) + self.bias

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        return input_shape[0], self.num_classes

    def get_config(self) -> dict[str, Any]:
        similarity = keras.saving.serialize_keras_object(self.similarity)
        own = {"num_classes": self.num_classes, "similarity": similarity, "use_bias": self.use_bias}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ClassScores":
        """The layer; its similarity comes from its own config."""
        return cls(**{**config, "similarity": keras.saving.deserialize_keras_object(config["similarity"])})


def closed(
    embed: keras.Model,
    kernel: Float[np.ndarray, "C K"],
    bias: Float[np.ndarray, " C"],
    classes: ClassTable,
    means: Float[np.ndarray, "C K"],
    *,
    activation: Literal["softmax", "sigmoid"] = "softmax",
) -> Classifier:
    """A Classifier on dot products that opens by photos: its embeddings are shifted and scaled into `imprinting_frame`.

    The scores are those of the head up to a common offset, which a softmax does not see; a class that comes by photos
    gets the score that the others reach on average at their own means.

    Args:
        embed: from features, or from preprocessed images, to A (B, K).
        kernel: one row a class.
        bias: one a class.
        classes: the class table.
        means: mean embedding of each class's training examples.
        activation: from scores to probabilities.
    """
    kernel, bias = kernel.astype(np.float64), bias.astype(np.float64)
    if activation == "softmax":
        kernel, bias = kernel - kernel.mean(axis=0), bias - bias.mean()
    offset, scale = imprinting_frame(kernel, means)
    root = np.sqrt(scale)
    vectors, bias = kernel / root, bias + kernel @ offset
    level = float(np.mean(np.sum(vectors * root * (means - offset), axis=1) + bias))
    return Classifier(
        _framed(embed, offset, root),
        classes,
        class_vectors=vectors.astype(np.float32),
        bias=bias.astype(np.float32),
        opens_by=("photos",),
        photo_level=level,
        activation=activation,
    )


def _framed(embed: keras.Model, offset: np.ndarray, root: float) -> keras.Model:
    a = keras.layers.Rescaling(float(root), name="frame")(centring(offset)(embed.outputs[0]))
    return keras.Model(embed.inputs[0], a, name="embed")
