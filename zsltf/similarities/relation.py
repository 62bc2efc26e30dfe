"""A learned comparison: s(a, b) = scale (w . relu(W_a a + W_b b + c) + d)"""

from typing import Any

import keras

from zsltf.checks import check_positive
from zsltf.similarities.dot import Dot

__all__ = ["Relation"]


@keras.saving.register_keras_serializable("zsltf")
class Relation(Dot):
    """Embeddings (B, K) and class vectors (C, L) to scores (B, C), by a network of one hidden layer.

    The first layer of the pair [a, b] is applied to each side alone and added up: the same numbers as for B x C
    concatenated pairs, and far fewer products.

    Source: Sung, Yang, Zhang, Xiang, Torr & Hospedales, "Learning to compare: relation network for few-shot learning",
    CVPR 2018.

    Args:
        hidden: units of the hidden layer.
    """

    def __init__(self, hidden: int = 64, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive("Relation", hidden=hidden)
        self.hidden = hidden
        self.of_image = keras.layers.Dense(hidden, use_bias=False, name="of_image")
        self.of_class = keras.layers.Dense(hidden, name="of_class")
        self.score = keras.layers.Dense(1, name="score")

    def build(self, a_shape: Any, b_shape: Any) -> None:
        self.of_image.build(a_shape)
        self.of_class.build(b_shape)
        self.score.build((None, None, self.hidden))

    def call(self, a: Any, b: Any) -> Any:
        pairs = keras.ops.relu(self.of_image(a)[:, None] + self.of_class(b)[None])
        return self.scale * self.score(pairs)[..., 0]

    def compute_output_shape(self, a_shape: Any, b_shape: Any) -> Any:
        return (a_shape[0], b_shape[0])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden": self.hidden}
