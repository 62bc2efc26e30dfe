"""Activations at the cut, computed once for a phase: what lies below is frozen and gives the same every epoch."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import psutil
import tensorflow as tf

from zsltf.files import cache_directory
from zsltf.training.activations import Activations
from zsltf.training.batches import Stream

__all__ = ["CachePolicy", "cached_activations"]

CachePolicy = Literal["auto", "memory", "disk", "off"]
_SHARE = 0.5  # of the free memory or disk that a cache may take


def cached_activations(
    streams: Sequence[Stream], lower: keras.Model | None, epochs: int, policy: CachePolicy
) -> tuple[list[Activations], str]:
    """Run every view of every image through the frozen part; all kept in memory, else on disk, else not at all.

    Args:
        streams: of training images, and of validation images if there are any.
        lower: the frozen part, if there is one.
        epochs: of the phase.
        policy: "memory", too, gives way to the disk where there is no room.

    Returns:
        The activations of each stream, or of none of them, and a sentence that says where they are, or why there are
        none.
    """
    reason = _why_not(streams[0], epochs, lower, policy)
    if lower is None or reason is not None:
        return [], str(reason)
    shapes = [_shape(stream, lower) for stream in streams]
    sizes = [4 * math.prod(shape) for shape in shapes]
    place = _place(sum(sizes), policy)
    amount = f"{' + '.join(f'{size / 2**20:.0f}' for size in sizes)} MiB of activations"
    if place == "nowhere":
        return [], f"{amount} fit neither in memory nor on disk: the phase runs the frozen part every epoch"
    short = place == "disk" and policy != "disk"
    where = "in memory" if place == "memory" else f"on disk{': memory is too small for them' if short else ''}"
    arrays = [_room(shape, place) for shape in shapes]
    for values, stream in zip(arrays, streams, strict=True):
        _fill(values, stream, lower)
    return [Activations(values=values) for values in arrays], f"{amount} {where}"


def _why_not(stream: Stream, epochs: int, lower: keras.Model | None, policy: CachePolicy) -> str | None:
    """Why a phase can't, or shouldn't, train from activations; None if it should."""
    augmented = stream.augmentation.enabled and stream.views is None
    reasons = {
        "the cache is off": policy == "off",
        "nothing below the first trained stage is frozen": lower is None,
        "MixUp and CutMix mix pixels": stream.augmentation.mixes,
        "augmentation is new every epoch (give a number of views)": augmented,
        "each view is used once": policy == "auto" and epochs <= (stream.views or 1),
        "the cut crosses several tensors": lower is not None and len(lower.outputs) > 1,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _shape(stream: Stream, lower: keras.Model) -> tuple[int, ...]:
    views = stream.views if stream.augmentation.enabled and stream.views else 1
    return (views, len(stream.examples), *lower.output_shape[1:])


def _place(needed: int, policy: CachePolicy) -> Literal["memory", "disk", "nowhere"]:
    if policy != "disk" and needed <= _SHARE * psutil.virtual_memory().available:
        return "memory"
    return "disk" if needed <= _SHARE * psutil.disk_usage(str(_folder())).free else "nowhere"


def _folder() -> Path:
    folder = cache_directory()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _room(shape: tuple[int, ...], place: Literal["memory", "disk"]) -> np.ndarray:
    """An empty array; its file has no name and goes with it, or with the process, however that ends."""
    if place == "memory":
        return np.empty(shape, np.float32)
    with tempfile.TemporaryFile(dir=_folder()) as file:
        return np.memmap(file, np.float32, mode="w+", shape=shape)


def _fill(values: np.ndarray, stream: Stream, lower: keras.Model) -> None:
    size = stream.preprocess.size

    @tf.function(input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)], autograph=False)
    def compute(pixels: Any) -> Any:
        return tf.cast(lower(stream.preprocess.normalise(pixels), training=False), tf.float32)

    for view, kept in enumerate(values):
        start = 0
        for pixels, _, _ in stream.in_order(view if stream.augmentation.enabled else None):
            batch = compute(pixels).numpy()
            kept[start : start + len(batch)] = batch
            start += len(batch)
