"""Sparse codes by unrolled iterations, so that the lasso of an example is a part of the graph."""

import math
from typing import Any

import keras
import numpy as np
from jaxtyping import Float
from keras import ops

from zsltf.checks import check_positive

__all__ = ["SparseCode", "sparse_code"]


@keras.saving.register_keras_serializable("zsltf")
class SparseCode(keras.layers.Layer):
    """x (..., D) to the codes a (..., K) that make |x - a B|^2 / 2 + penalty |a|_1 small, by accelerated steps.

    The dictionary B (K, D) is a weight; steps are as long as its Frobenius bound allows, so they stay safe when it is
    trained on.

    Source: Beck & Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse problems", SIAM
        Journal on Imaging Sciences 2009.

    Args:
        atoms: K.
        penalty: > 0, in units of x.
        iterations: >= 1.
    """

    def __init__(self, atoms: int, penalty: float, iterations: int = 100, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive("SparseCode", atoms=atoms, penalty=penalty, iterations=iterations)
        self.atoms, self.penalty, self.iterations = atoms, penalty, iterations

    def build(self, input_shape: Any) -> None:
        shape = (self.atoms, input_shape[-1])
        self.dictionary = self.add_weight(name="dictionary", shape=shape, initializer="orthogonal")

    def call(self, x: Any) -> Any:
        basis = ops.transpose(self.dictionary)
        gram = ops.matmul(self.dictionary, basis)
        step = 1.0 / (ops.sqrt(ops.sum(gram**2)) + 1e-6)  # no eigenvalue of the Gram matrix is above its norm
        drive, pull = step * ops.matmul(x, basis), step * gram
        code = ahead = ops.zeros_like(drive)
        momentum = 1.0
        for _ in range(self.iterations):
            moved = ahead + drive - ops.matmul(ahead, pull)
            threshold = step * self.penalty
            latest = ops.relu(moved - threshold) - ops.relu(-moved - threshold)
            following = (1.0 + math.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
            ahead = latest + (momentum - 1.0) / following * (latest - code)
            code, momentum = latest, following
        return code

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.atoms)

    def get_config(self) -> dict[str, Any]:
        own = {"atoms": self.atoms, "penalty": self.penalty, "iterations": self.iterations}
        return {**super().get_config(), **own}


def sparse_code(dictionary: Float[np.ndarray, "K D"], penalty: float, iterations: int) -> SparseCode:
    """A SparseCode layer on this dictionary."""
    layer = SparseCode(len(dictionary), penalty, iterations, name="sparse_code")
    layer.build((None, dictionary.shape[1]))
    layer.set_weights([dictionary])
    return layer
