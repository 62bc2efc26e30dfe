"""Scores of images by a Classifier, streamed."""

import numpy as np
import tensorflow as tf
from jaxtyping import Bool, Float

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.augment import Augmentation
from zsltf.data.images import Images
from zsltf.training.batches import Stream
from zsltf.training.examples import Examples

__all__ = ["score_images"]


def score_images(
    classifier: Classifier, images: Images, batch_size: int = 32
) -> tuple[Float[np.ndarray, "N C"], Bool[np.ndarray, " N"]]:
    """Logits of every image, and which images could be decoded; the others' rows are NaN.

    Raises:
        ValueError: if the Classifier takes features, or no image can be decoded.
    """
    if classifier.preprocess is None:
        fail("score_images", "a Classifier from images", "one from features", "Put its backbone before it: `after`.")
    stream = Stream(
        examples=Examples(images=images),
        preprocess=classifier.preprocess,
        targets=lambda y: (y,),
        augmentation=Augmentation(),
        batch_size=batch_size,
        seed=0,
    )

    @tf.function(reduce_retracing=True, autograph=False)
    def compute(pixels: tf.Tensor) -> tf.Tensor:
        return classifier(pixels)

    scores = np.concatenate([compute(pixels).numpy() for pixels, _, _ in stream.in_order()])
    good = np.ones(len(images), bool)
    good[list(stream.skipped)] = False
    if not good.any():
        fail("images", "one that can be decoded", "none", next(iter(stream.skipped.values())))
    scores[~good] = np.nan
    return scores, good
