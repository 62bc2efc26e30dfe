"""Images to features: streamed through a compiled function into a cache folder that is whole or absent."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import tensorflow as tf
from jaxtyping import Float
from rich.console import Console
from rich.progress import Progress

from zsltf.checks import fail
from zsltf.data.features import Features
from zsltf.data.images import Images, OnCorrupt, image_dataset
from zsltf.files import atomic_directory, cache_directory
from zsltf.pretrained.backbone import Backbone, Precision
from zsltf.pretrained.inference import inference

__all__ = ["Extraction", "extract_features"]

_VERSION = 2  # part of the cache's key: raise it when decoding or extraction changes


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """Features, and what became of the images on the way."""

    features: Features
    key: str
    """Of the cache: a hash of weights, preprocessing and image list."""
    cached: bool
    """True where no image was opened."""
    skipped: dict[str, str]
    """Name -> reason, for each image that can't be decoded."""


def extract_features(
    backbone: Backbone,
    images: Images,
    *,
    maps: bool = False,
    precision: Precision = "float32",
    batch_size: int = 32,
    on_corrupt: OnCorrupt = "skip",
    cache: Path | None = None,
) -> Extraction:
    """Run the images through the backbone once; a second call with the same weights and files reads the cache.

    Args:
        backbone: its preprocessing and weights are part of the cache's key.
        images: their signature, for files path, size and time of change of each, is part of the key too.
        maps: keep the feature maps (N, h, w, D) instead of their average (N, D).
        precision: of the backbone's arithmetic, part of the key; the features are float32 whatever it is.
            mixed_bfloat16 is faster on a CPU that has it (avx512_bf16 or amx_bf16), and much slower on another.
        batch_size: images at once.
        on_corrupt: "skip" lists what can't be decoded, "error" stops.
        cache: folder of caches; by default `features` in the cache directory.

    Raises:
        ValueError: if no image, or with "error" one image, can't be decoded; or if the backbone computes in float32
            only.
    """
    key = _key(backbone, images, maps, precision)
    folder = (cache or cache_directory() / "features") / key
    loaded = _load(folder)
    cached = loaded is not None
    if loaded is None:
        try:
            computing = backbone if precision == "float32" else backbone.with_precision(precision)
            _fill(folder, computing, images, maps, batch_size, on_corrupt)
        except (OSError, ValueError):
            if _load(folder) is None:  # else another process was first: its features are these
                raise
        loaded = _load(folder)
    if loaded is None:
        fail(str(folder), "the features that were just written", "none", "Check the cache folder's disk.")
    x, record = loaded
    skipped = {images.names[int(index)]: reason for index, reason in record["skipped"].items()}
    if skipped and on_corrupt == "error":
        _fail_corrupt(skipped)
    kept = np.array(record["kept"])
    features = Features(x=x, y=images.y[kept], paths=tuple(images.names[i] for i in kept))
    return Extraction(features=features, key=key, cached=cached, skipped=skipped)


def _fail_corrupt(skipped: Mapping[Any, str]) -> NoReturn:
    reasons = list(skipped.values())
    received = f"{len(reasons)} that can't: {'; '.join(reasons[:3])}"
    fail("images", "files that can be decoded", received, "Replace them, or pass --on-corrupt skip.")


def _load(folder: Path) -> tuple[np.ndarray, dict[str, Any]] | None:
    """The cache's features and record; None where there is none, or a damaged one."""
    try:
        record = json.loads((folder / "record.json").read_text("utf-8"))
        x = np.load(folder / "x.npy", mmap_mode="r", allow_pickle=False)
        return (x, record) if len(x) == len(record["kept"]) and "skipped" in record else None
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def _key(backbone: Backbone, images: Images, maps: bool, precision: Precision) -> str:
    what = f"{_VERSION} {backbone.fingerprint} {maps} {precision} ".encode()
    return hashlib.sha256(what + images.signature()).hexdigest()[:32]


def _fill(folder: Path, backbone: Backbone, images: Images, maps: bool, batch_size: int, on_corrupt: OnCorrupt) -> None:
    skipped: dict[int, str] = {}
    kept: list[int] = []
    with atomic_directory(folder, overwrite=folder.is_dir()) as staging:
        with (staging / "x.npy").open("wb") as file:  # a memory-mapped file would die of a full disk, not raise
            for indices, batch in _stream(backbone, images, maps, batch_size, on_corrupt, skipped):
                if not kept:
                    _write_header(file, (len(images), *batch.shape[1:]))
                file.write(batch.astype("<f4").tobytes())  # a model of mixed precision may give halves
                kept.extend(indices.tolist())
            if not kept:
                reason = f"First reason: {next(iter(skipped.values()))}"
                fail("images", "an image that can be decoded", "none", reason)
            file.seek(0)
            _write_header(file, (len(kept), *batch.shape[1:]))  # as long as the first: NumPy leaves room for digits
        (staging / "record.json").write_text(json.dumps({"kept": kept, "skipped": skipped}), "utf-8")


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})


def _stream(
    backbone: Backbone,
    images: Images,
    maps: bool,
    batch_size: int,
    on_corrupt: OnCorrupt,
    skipped: dict[int, str],
) -> Iterator[tuple[np.ndarray, Float[np.ndarray, "B *D"]]]:
    preprocess = backbone.preprocess
    compute = inference(backbone.model if maps else backbone.features(), preprocess)
    pipeline = image_dataset(
        images,
        preprocess.resize,
        size=preprocess.size,
        policy=preprocess.resize_policy,
        batch_size=batch_size,
        on_corrupt=on_corrupt,
        skipped=skipped,
    )
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{backbone.name}: features", total=len(images))
        try:
            for indices, pixels in pipeline:
                yield indices.numpy(), compute(pixels).numpy()
                progress.advance(task, len(indices))
        except tf.errors.OpError:
            if not skipped:
                raise
            _fail_corrupt(skipped)
