"""Features of whitened patches, averaged over the quarters of an image."""

from collections.abc import Callable

import keras
import numpy as np
from jaxtyping import Float

from zsltf.checks import fail
from zsltf.layers.centre import centring
from zsltf.solvers.whitening import whitening
from zsltf.training.embedding import embedded

__all__ = ["patch_encoder"]

_PATCHES = 20_000
_SHRINKAGE = 0.01
_CONTRAST = 1e-2
"""Added to a patch's variance, in squared units of the images."""


def patch_encoder(
    images: Float[np.ndarray, "N H W C"],
    size: int,
    stride: int,
    features: Callable[[keras.KerasTensor, Float[np.ndarray, "M D"]], keras.KerasTensor],
    *,
    seed: int,
) -> keras.Model:
    """From images to the means of positive and negative parts of their patches' features, over four quarters.

    Each patch is brought to mean 0 and variance 1, and then whitened.

    Source: Coates, Ng & Lee, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011.

    Args:
        images: preprocessed.
        size: height and width of a patch in pixels.
        stride: pixels from patch to patch.
        features: of whitened patches (..., D), made for some of them (M, D).
        seed: of the patches that whitening and features are made for.

    Raises:
        ValueError: if the images are too small for two patches each way.
    """
    height, width, channels = images.shape[1:]
    places = tuple(1 + (side - size) // stride for side in (height, width))
    if min(places) < 2:
        fail("patches", "two or more each way", f"{places[0]} x {places[1]}", "Lower patch and stride.")
    inputs = keras.Input(images.shape[1:])
    raw = _normalised(inputs, size, stride, channels)
    drawn = _drawn(images, keras.Model(inputs, raw), places, seed)
    mean = drawn.mean(axis=0)
    rotation = whitening(np.cov(drawn, rowvar=False), _SHRINKAGE).astype(np.float32)
    dense = keras.layers.Dense(rotation.shape[1], use_bias=False, trainable=False, name="whiten")
    white = dense(centring(mean, name="patch_mean")(raw))
    dense.set_weights([rotation])
    found = features(white, (drawn - mean) @ rotation)
    parts = keras.layers.Concatenate()([keras.layers.ReLU()(found), keras.layers.ReLU()(-found)])
    window = tuple(-(-count // 2) for count in places)
    quarters = keras.layers.AveragePooling2D(window, padding="same", name="quarters")(parts)
    return keras.Model(inputs, keras.layers.Flatten()(quarters), name="encoder")


def _normalised(x: keras.KerasTensor, size: int, stride: int, channels: int) -> keras.KerasTensor:
    """Patches (B, places, places, D) of mean 0 and variance 1."""
    width = size * size * channels
    cut = keras.layers.Conv2D(width, size, stride, use_bias=False, trainable=False, name="patches")
    patches = cut(x)
    cut.set_weights([np.eye(width, dtype=np.float32).reshape(size, size, channels, width)])
    return keras.layers.LayerNormalization(center=False, scale=False, epsilon=_CONTRAST, name="contrast")(patches)


def _drawn(images: np.ndarray, model: keras.Model, places: tuple[int, int], seed: int) -> Float[np.ndarray, "M D"]:
    """Some patches of some images."""
    rng = np.random.default_rng(seed)
    each = max(1, -(-_PATCHES // len(images)))
    rows = np.sort(rng.permutation(len(images))[: -(-_PATCHES // each)])
    count = places[0] * places[1]
    taken = [
        patches.reshape(count, -1)[rng.permutation(count)[:each]]
        for start in range(0, len(rows), 64)
        for patches in embedded(model, images[rows[start : start + 64]])
    ]
    return np.concatenate(taken)
