"""Any of a class's variants: s(a, b) = scale log sum_v exp(a.b_v)"""

from typing import Any

import keras

from zsltf.similarities.dot import Dot

__all__ = ["LogSumExp"]

_NEVER = -1e9


@keras.saving.register_keras_serializable("zsltf")
class LogSumExp(Dot):
    """Embeddings (B, K) and class vectors (C, variants, K) to scores (B, C); a variant of zeros is none.

    With log-probabilities for embeddings and 0 or 1 in the class vectors, exp(score) is the probability of any variant.
    """

    def call(self, a: Any, b: Any) -> Any:
        ops = keras.ops
        products = ops.einsum("bk,cvk->bcv", a, b)
        there = ops.any(ops.not_equal(b, 0), axis=-1)
        return self.scale * ops.logsumexp(ops.where(there, products, _NEVER), axis=-1)

    def compute_output_shape(self, a_shape: Any, b_shape: Any) -> Any:
        return (a_shape[0], b_shape[0])
