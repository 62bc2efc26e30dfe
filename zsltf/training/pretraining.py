"""An encoder from unlabelled examples: what is checked before, how it is trained, and whether it collapsed."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.checks import check_finite, fail
from zsltf.data.unlabelled import Unlabelled
from zsltf.embeds import copied
from zsltf.training.descent import Descent
from zsltf.training.embedding import embedded
from zsltf.training.side_by_side import descending, train_side_by_side

__all__ = ["check_collapse", "effective_rank", "pretrainable", "train_encoder"]

BatchLoss = Callable[[Any, Any], Any]
"""Of a batch of examples and a seed (2,): a number."""

_EXAMPLES = 2048
"""By which collapse is told."""
_FEWEST_DIRECTIONS = 1.1
"""One that holds 98 % of the variance among two."""


def pretrainable(
    method: str,
    unlabelled: Unlabelled,
    network: keras.Model | None,
    own: Callable[[Float[np.ndarray, "N D"]], keras.Model],
) -> keras.Model:
    """A copy of the user's network, or where there is none, an own one for vectors.

    Args:
        method: is named in messages.
        unlabelled: examples.
        network: the user's, which stays as it is.
        own: makes one for vectors such as the examples.

    Raises:
        ValueError: if examples bring labels, are one alone, have another shape than the network takes, or are images
            without a network.
    """
    check_pretraining(method, unlabelled)
    shape = unlabelled.x.shape[1:]
    if network is None:
        if len(shape) != 1:
            fail(f"{method} without a network", "vectors (M, D)", f"images {unlabelled.x.shape}", "Give a network.")
        return own(unlabelled.x)
    if network.input_shape[1:] != shape:
        fail(f"{method}, network", f"inputs {shape}", str(network.input_shape[1:]), "Build it for these examples.")
    if len(network.output_shape) != 2:
        fail(f"{method}, network", "embeddings (B, K)", f"{network.output_shape}", "Pool its maps at the end.")
    return copied(network)


def check_pretraining(method: str, unlabelled: Any) -> None:
    """Refuse examples with labels, and one alone."""
    if not isinstance(unlabelled, Unlabelled):
        fix = "Pretraining looks at no labels: give features.unlabelled()."
        fail(f"{method}, unlabelled", "Unlabelled examples", type(unlabelled).__name__, fix)
    if len(unlabelled) < 2:
        fail(f"{method}, unlabelled", "two examples or more", "one", "Give more.")


def train_encoder(
    method: str,
    encoder: keras.Model,
    parts: Sequence[keras.layers.Layer],
    loss: BatchLoss,
    descent: Descent,
    unlabelled: Unlabelled,
) -> keras.Model:
    """Descend on a loss of unlabelled batches; returns the encoder, without the parts that were trained with it.

    Args:
        method: is named in messages.
        encoder: from an example to its embedding.
        parts: what the loss uses besides, such as a decoder, built.
        loss: mean over a batch; its seed is another at every step, and the same in every training.
        descent: Adam's settings.
        unlabelled: examples.

    Raises:
        ValueError: if the loss is not finite in the first epoch, or all embeddings end as one.
    """

    def of_step(batches: Sequence[Any], progress: Any) -> Any:
        ((x,),) = batches
        return loss(x, tf.stack([descent.seed, tf.cast(progress * 1e6, tf.int32)]))

    both = [encoder, *parts]
    step = descending(of_step, [v for part in both for v in part.trainable_variables], descent)
    train_side_by_side(step, [v for part in both for v in part.variables], descent, [(unlabelled.x,)])
    check_collapse(method, encoder, unlabelled)
    return encoder


def check_collapse(method: str, encoder: keras.Model, unlabelled: Unlabelled) -> None:
    """Refuse an encoder that gives every example the same embedding, and warn of one that gives a line.

    Raises:
        ValueError: also if an embedding is not finite.
    """
    rows = np.unique(np.linspace(0, len(unlabelled) - 1, _EXAMPLES).astype(int))
    a = embedded(encoder, unlabelled.x[rows]).astype(np.float64)
    check_finite(f"{method}, embeddings", a, "Lower learning_rate.")
    spread = a.var(axis=0).sum() / max(float((a**2).sum(axis=1).mean()), 1e-30)
    fix = "Train with a lower learning_rate, or a larger batch_size, and look at the examples: are they all alike?"
    if spread < 1e-6:
        fail(f"{method}, embeddings", "different ones for different examples", "the same for all (collapse)", fix)
    rank = effective_rank(a)
    if rank < _FEWEST_DIRECTIONS and a.shape[1] > 1:
        told = f"{method}: the embeddings vary along {rank:.2f} directions of {a.shape[1]} (collapse)."
        warnings.warn(f"{told} {fix}", stacklevel=2)


def effective_rank(a: Float[np.ndarray, "N K"]) -> float:
    """How many directions vectors vary along: exp of the entropy of their covariance's eigenvalues.

    Source: Roy & Vetterli, "The effective rank", EUSIPCO 2007 (of singular values; here of their squares).
    """
    values = np.linalg.svd(a - a.mean(axis=0), compute_uv=False) ** 2
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
