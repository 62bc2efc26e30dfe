"""Sparse coding: examples as sums of a few atoms each; the encoder is the lasso, unrolled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from zsltf.checks import check_positive, check_seed
from zsltf.data.unlabelled import Unlabelled
from zsltf.embeds import identity
from zsltf.layers.sparse_code import sparse_code
from zsltf.solvers.sparse_dictionary import sparse_dictionary
from zsltf.training.embedding import embedded
from zsltf.training.encoders import frame, framed
from zsltf.training.patches import patch_encoder
from zsltf.training.pretraining import check_collapse, check_pretraining, pretrainable

__all__ = ["SparseCoding"]


@dataclass(frozen=True, kw_only=True)
class SparseCoding:
    """A dictionary learned from unlabelled examples; an example's embedding is its code.

    Vectors, and embeddings of a network, which stays as it is, are coded as a whole. Images without a network are coded
    patch by patch, and the codes' positive and negative parts averaged over quarters of the image.

    Source: Raina, Battle, Lee, Packer & Ng, "Self-taught learning: transfer learning from unlabeled data", ICML 2007;
        patches as in Coates, Ng & Lee, "An analysis of single-layer networks in unsupervised feature learning", AISTATS
        2011.
    """

    atoms: int = 256
    """>= 1."""
    penalty: float = 0.2
    """Of the codes' absolute values, > 0, as a share of the root of an example's mean square."""
    iterations: int = 100
    """Of the unrolled lasso, >= 1."""
    patch: int = 6
    """Height and width in pixels of what is coded of images, >= 2."""
    stride: int = 2
    """Pixels from patch to patch, >= 1."""
    epochs: int = 10
    """Passes over the examples (of images: over 20,000 patches) to learn the dictionary, >= 1."""
    seed: int = 0
    """Of the dictionary's start, the examples' order and the patches."""

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"penalty": (0.1, 0.2, 0.4), "atoms": (128, 256, 512)}
    TRAINS_NETWORK: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive("SparseCoding", atoms=self.atoms, penalty=self.penalty, iterations=self.iterations)
        check_seed("SparseCoding", self.seed)
        check_positive("SparseCoding", patch=self.patch - 1, stride=self.stride, epochs=self.epochs)

    def pretrain(self, unlabelled: Unlabelled, *, network: keras.Model | None = None) -> keras.Model:
        """Learn the dictionary; see SelfTaughtMethod."""
        check_pretraining("SparseCoding", unlabelled)
        patches = unlabelled.x.ndim == 4 and network is None
        encoder = self._of_patches(unlabelled) if patches else self._of_vectors(unlabelled, network)
        check_collapse("SparseCoding", encoder, unlabelled)
        return encoder

    def _of_vectors(self, unlabelled: Unlabelled, network: keras.Model | None) -> keras.Model:
        below = pretrainable("SparseCoding", unlabelled, network, lambda x: identity(x.shape[1]))
        vectors = embedded(below, unlabelled.x)
        mean, scale = frame(vectors)
        inputs = keras.Input(below.input_shape[1:])
        codes = self.coded(framed(below(inputs, training=False), vectors), (vectors - mean) * scale)
        return keras.Model(inputs, codes, name="encoder")

    def _of_patches(self, unlabelled: Unlabelled) -> keras.Model:
        return patch_encoder(unlabelled.x, self.patch, self.stride, self.coded, seed=self.seed)

    def coded(self, x: keras.KerasTensor, examples: np.ndarray) -> keras.KerasTensor:
        """Codes (..., K) of x (..., D) by a dictionary of the examples (N, D), whose mean square is 1."""
        penalty = self.penalty * float(np.sqrt(examples.shape[1]))
        dictionary = sparse_dictionary(
            examples,
            self.atoms,
            penalty,
            iterations=self.iterations,
            epochs=self.epochs,
            batch_size=256,
            seed=self.seed,
        )
        return sparse_code(dictionary, penalty, self.iterations)(x)
