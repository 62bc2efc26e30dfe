"""Whether an image looks like none of the seen classes, as one more coordinate."""

from typing import Any

import keras
import numpy as np
from jaxtyping import Float

__all__ = ["NoveltyGate", "UngatedVectors", "novelty_gate"]

_SOFTNESS = 0.1  # of the training images' spread


@keras.saving.register_keras_serializable("zsltf")
class NoveltyGate(keras.layers.Layer):
    """Embeddings a (B, K) to [a, g, 1] (B, K + 2): g = strength tanh((novelty - threshold) / softness).

    A hard gate would flip at its threshold from one runtime to another. The novelty is minus the log-density, without
    constants, under the likeliest of S round Gaussians. The partners in a dot product are UngatedVectors; a seen
    class's has -1 in place of its 0.

    Source: Socher, Ganjoo, Manning & Ng, "Zero-shot learning through cross-modal transfer", NeurIPS 2013.

    Args:
        num_classes: S.
        threshold: of the novelty.
        softness: in units of the novelty, > 0.
        strength: more than scores differ.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        threshold: float = 0.0,
        softness: float = 1.0,
        strength: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes, self.threshold, self.softness, self.strength = num_classes, threshold, softness, strength

    def build(self, input_shape: Any) -> None:
        shape = (self.num_classes, input_shape[-1])
        self.centres = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="centres")
        self.variances = self.add_weight(shape=shape[:1], initializer="ones", trainable=False, name="variances")

    def novelty(self, a: Any) -> Any:
        """Of embeddings, (B, 1)."""
        ops = keras.ops
        squares = ops.sum(a * a, axis=-1, keepdims=True) + ops.sum(self.centres * self.centres, axis=-1)
        squares = ops.maximum(squares - 2 * ops.matmul(a, ops.transpose(self.centres)), 0)
        width = a.shape[-1]
        return ops.min(0.5 * squares / self.variances + 0.5 * width * ops.log(self.variances), axis=-1, keepdims=True)

    def call(self, a: Any) -> Any:
        gate = self.strength * keras.ops.tanh((self.novelty(a) - self.threshold) / self.softness)
        return keras.ops.concatenate([a, gate, keras.ops.ones_like(a[..., :1])], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] + 2)

    def get_config(self) -> dict[str, Any]:
        names = ("num_classes", "threshold", "softness", "strength")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("zsltf")
class UngatedVectors(keras.layers.Layer):
    """Places s (C, K) to [2 s, 0, -|s|^2] (C, K + 2): with [a, g, 1], -|a - s|^2 up to a number of the image's own."""

    def call(self, s: Any) -> Any:
        norm = keras.ops.sum(s * s, axis=-1, keepdims=True)
        return keras.ops.concatenate([2 * s, keras.ops.zeros_like(norm), -norm], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] + 2)


def novelty_gate(
    a: Float[np.ndarray, "N K"],
    y: np.ndarray,
    weights: Float[np.ndarray, " N"],
    centres: Float[np.ndarray, "S K"],
    *,
    familiar: float,
    strength: float,
) -> NoveltyGate:
    """A gate under which this share of the training images is familiar.

    Args:
        a: embeddings of the training images.
        y: rows of `centres`.
        weights: of the images.
        centres: where each class's images should lie.
        familiar: share in (0, 1).
        strength: more than scores differ.
    """
    squares = ((a - centres[y]) ** 2).mean(axis=1)
    variances = np.bincount(y, weights=weights * squares) / np.bincount(y, weights=weights)
    gate = NoveltyGate(len(centres), strength=strength)
    gate.build((None, a.shape[1]))
    gate.set_weights([centres, np.maximum(variances, 1e-6)])
    novelty = keras.ops.convert_to_numpy(gate.novelty(a.astype(np.float32)))[:, 0]
    order = np.argsort(novelty)
    share = np.cumsum(weights[order]) / weights.sum()
    gate.threshold = float(novelty[order][np.searchsorted(share, familiar)])
    gate.softness = max(_SOFTNESS * float(novelty.std()), 1e-6)
    return gate
