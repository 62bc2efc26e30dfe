"""The mean embedding of each class's training images, for heads that open by photos."""

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.training.batches import Stream
from zsltf.training.network import Network

__all__ = ["embedding_means"]


def embedding_means(network: Network, stream: Stream) -> dict[str, Float[np.ndarray, "C K"]]:
    """One pass over the images without augmentation; an image counts by its weight, for each of its labels.

    Returns:
        head -> means; those of a class without images are the mean of all.
    """
    heads = list(network.heads)
    model = keras.Model(network.model.input, [network.embeddings[head] for head in heads], name="embeddings")
    labels = stream.examples.images.y
    sums: list[np.ndarray] = []
    rows = 0

    @tf.function(reduce_retracing=True, autograph=False)
    def compute(pixels: tf.Tensor) -> list[tf.Tensor]:
        return keras.tree.flatten(model(stream.preprocess.normalise(pixels), training=False))

    total = np.zeros(len(network.classes))
    for pixels, _, weight in stream.in_order():
        embeddings = [a.numpy().astype(np.float64) for a in compute(pixels)]
        y = labels[rows : rows + len(weight)]
        rows += len(weight)
        indicator = (np.eye(len(network.classes))[y] if y.ndim == 1 else y) * weight.numpy()[:, None]  # (B, C)
        sums = sums or [np.zeros((len(network.classes), a.shape[1])) for a in embeddings]
        sums = [whole + indicator.T @ a for whole, a in zip(sums, embeddings, strict=True)]
        total += indicator.sum(axis=0)
    return {head: _means(whole, total) for head, whole in zip(heads, sums, strict=True)}


def _means(sums: Float[np.ndarray, "C K"], total: Float[np.ndarray, " C"]) -> Float[np.ndarray, "C K"]:
    everything = sums.sum(axis=0) / total.sum()
    return np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], everything)
