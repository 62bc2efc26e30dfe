"""An image attends to a class's descriptions: s(a, b) = scale cos(a', sum_l softmax_l(a.k_l) v_l)"""

from typing import Any

import keras

from zsltf.checks import check_positive
from zsltf.similarities.dot import Dot

__all__ = ["CrossAttention"]

_NEVER = -1e9


@keras.saving.register_keras_serializable("zsltf")
class CrossAttention(Dot):
    """Embeddings (B, 2K), a query then an image vector, and keys then values (C, L, 2K) of descriptions, to (B, C).

    Each head has an equal part of queries, keys, values and image vectors. A description of zeros is none, and one of
    the class vectors needs others.

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Args:
        heads: parts that attend apart from each other; they divide K.
    """

    def __init__(self, heads: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive("CrossAttention", heads=heads)
        self.heads = heads

    def call(self, a: Any, b: Any) -> Any:
        ops = keras.ops
        query, image = ops.split(a, 2, axis=-1)
        keys, values = ops.split(self._by_head(b, 2 * self.heads, 2), 2, axis=0)
        there = ops.any(ops.not_equal(b, 0), axis=-1)
        weights = self._weights(self._by_head(query, self.heads, 1), keys, there)
        found = ops.einsum("hbcl,hclk->bchk", weights, values)
        found = ops.normalize(ops.reshape(found, (-1, ops.shape(b)[0], image.shape[-1])), axis=-1)
        return self.scale * ops.einsum("bk,bck->bc", ops.normalize(image, axis=-1), found)

    def attention(self, a: Any, b: Any) -> Any:
        """Of each head on each description (heads, B, C, L); it adds up to 1 over a class's descriptions."""
        ops = keras.ops
        keys = self._by_head(b, 2 * self.heads, 2)[: self.heads]
        query = self._by_head(ops.split(a, 2, axis=-1)[0], self.heads, 1)
        return self._weights(query, keys, ops.any(ops.not_equal(b, 0), axis=-1))

    def _weights(self, query: Any, keys: Any, there: Any) -> Any:
        ops = keras.ops
        products = ops.einsum("hbk,hclk->hbcl", query, keys) / keys.shape[-1] ** 0.5
        products = ops.where(there, products, _NEVER)
        weights = ops.exp(products - ops.max(products, axis=-1, keepdims=True))
        return weights / ops.sum(weights, axis=-1, keepdims=True)

    def _by_head(self, rows: Any, heads: int, axis: int) -> Any:
        """(..., K) to (heads, ..., K / heads)."""
        shape = tuple(keras.ops.shape(rows)[i] for i in range(axis))
        parts = keras.ops.reshape(rows, (*shape, heads, rows.shape[-1] // heads))
        return keras.ops.moveaxis(parts, axis, 0)

    def compute_output_shape(self, a_shape: Any, b_shape: Any) -> Any:
        return (a_shape[0], b_shape[0])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads}
