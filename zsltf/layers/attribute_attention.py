"""Each attribute looks where it is: feature maps to attribute scores."""

from typing import Any

import keras

from zsltf.checks import check_positive

__all__ = ["AttributeAttention"]


@keras.saving.register_keras_serializable("zsltf")
class AttributeAttention(keras.layers.Layer):
    """Maps (B, H, W, D), or vectors (B, D) as maps of one place, to attribute scores (B, A).

    Attribute i, with a trained vector v_i, attends to places r by softmax_r(v_i W1 f_r); what it finds there, h_i, has
    the score v_i W2 h_i, times sigmoid(v_i W3 h_i), which says how much it matters.

    Source: Huynh & Elhamifar, "Fine-grained generalized zero-shot learning via dense attribute-based attention", CVPR
    2020.

    Args:
        num_attributes: A.
        width: of the attribute vectors.
        seed: of the weights that training starts from.
    """

    def __init__(self, num_attributes: int, *, width: int = 64, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive("AttributeAttention", num_attributes=num_attributes, width=width)
        self.num_attributes, self.width, self.seed = num_attributes, width, seed

    def build(self, input_shape: Any) -> None:
        seeds = iter(range(4 * self.seed, 4 * self.seed + 4))

        def weight(name: str, *shape: int) -> Any:
            start = keras.initializers.GlorotUniform(next(seeds))
            return self.add_weight(shape=shape, initializer=start, name=name)

        self.vectors = weight("attribute_vectors", self.num_attributes, self.width)
        self.where = weight("where", self.width, input_shape[-1])
        self.what = weight("what", self.width, input_shape[-1])
        self.matters = weight("matters", self.width, input_shape[-1])

    def attention(self, maps: Any) -> Any:
        """Of each attribute on each place (B, places, A); it adds up to 1 over places."""
        return self._attention(self._places(maps))

    def call(self, maps: Any) -> Any:
        ops, places = keras.ops, self._places(maps)
        attention = self._attention(places)
        score, matters = (  # v W (sum of a f) = sum of a (v W f), which needs no (B, A, D)
            ops.sum(attention * self._agreement(places, weight), axis=1) for weight in (self.what, self.matters)
        )
        return ops.sigmoid(matters) * score

    def _agreement(self, places: Any, weight: Any) -> Any:
        ops = keras.ops
        return ops.matmul(ops.matmul(places, ops.transpose(weight)), ops.transpose(self.vectors))

    def _places(self, maps: Any) -> Any:
        return keras.ops.reshape(maps, (keras.ops.shape(maps)[0], -1, maps.shape[-1]))

    def _attention(self, places: Any) -> Any:
        scores = self._agreement(places, self.where)
        weights = keras.ops.exp(
            scores - keras.ops.max(scores, axis=1, keepdims=True)
        )  # Keras' softmax warns of one place
        return weights / keras.ops.sum(weights, axis=1, keepdims=True)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.num_attributes)

    def get_config(self) -> dict[str, Any]:
        options = {"num_attributes": self.num_attributes, "width": self.width, "seed": self.seed}
        return {**super().get_config(), **options}
