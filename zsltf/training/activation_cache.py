"""Activations at the cut, computed once for a phase: what lies below is frozen and gives the same every epoch."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import psutil
import tensorflow as tf

from zsltf.files import cache_directory
from zsltf.training.activations import Activations
from zsltf.training.batches import Stream

__all__ = ["CachePolicy", "cached_activations", "why_not"]

CachePolicy = Literal["auto", "memory", "disk", "off"]
_SHARE = 0.5  # of the free memory or disk that a cache may take


def why_not(stream: Stream, epochs: int, lower: keras.Model | None, policy: CachePolicy) -> str | None:
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


@contextmanager
def cached_activations(
    stream: Stream, lower: keras.Model, policy: CachePolicy
) -> Iterator[tuple[Activations | None, str]]:
    """Run every view of every image through the frozen part; kept in memory, else on disk, else not at all.

    Yields:
        the activations, and a sentence that says where they are or why they are nowhere.
    """
    views = stream.views if stream.augmentation.enabled and stream.views else 1
    shape = (views, len(stream.examples), *lower.output_shape[1:])
    needed = 4 * int(np.prod(shape, dtype=np.int64))
    place = _place(needed, policy)
    amount = f"{needed / 2**20:.0f} MiB of activations"
    if place == "nowhere":
        yield None, f"{amount} fit neither in memory nor on disk: the phase runs the frozen part every epoch"
        return
    folder = Path(tempfile.mkdtemp(prefix="activations.", dir=_folder())) if place == "disk" else None
    try:
        values = np.empty(shape, np.float32) if folder is None else _on_disk(folder / "values.npy", shape)
        _fill(values, stream, lower)
        short = place == "disk" and policy == "auto"
        where = "on disk: memory is too small for them" if short else f"{'in memory' if folder is None else 'on disk'}"
        yield Activations(values=values), f"{amount} {where}"
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _place(needed: int, policy: CachePolicy) -> Literal["memory", "disk", "nowhere"]:
    if policy == "memory" or (policy == "auto" and needed <= _SHARE * psutil.virtual_memory().available):
        return "memory"
    return "disk" if needed <= _SHARE * psutil.disk_usage(str(_folder())).free else "nowhere"


def _folder() -> Path:
    folder = cache_directory()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _on_disk(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


def _fill(values: np.ndarray, stream: Stream, lower: keras.Model) -> None:
    size = stream.preprocess.size

    @tf.function(input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)])
    def compute(pixels: Any) -> Any:
        return tf.cast(lower(stream.preprocess.normalise(pixels), training=False), tf.float32)

    for view, kept in enumerate(values):
        start = 0
        for pixels, _, _ in stream.in_order(view if stream.augmentation.enabled else None):
            batch = compute(pixels).numpy()
            kept[start : start + len(batch)] = batch
            start += len(batch)
