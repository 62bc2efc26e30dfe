"""Data, and what a training is told of it: streams, weights, and the description that a resumed training must match."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from zsltf.checks import fail
from zsltf.data.augment import Augmentation
from zsltf.training.batches import Examples, Stream
from zsltf.training.network import Network
from zsltf.training.options import TrainingOptions
from zsltf.training.phases import Phase

__all__ = ["Data", "check_data", "check_same", "describe", "stream_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """What a training learns from and is watched on."""

    train: Examples
    validation: Examples | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    """Of the training images."""
    views: int | None = None
    """Different augmentations that an image goes through, so that what is frozen runs once each; None: always new."""


def stream_of(network: Network, examples: Examples, data: Data, options: TrainingOptions, *, replicas: int) -> Stream:
    """The examples as batches of pixels, the targets of each head and weights."""
    heads, classes = network.heads.values(), network.classes
    balanced = options.class_weights == "balanced" and examples is data.train
    weighted = Examples(images=examples.images, sample_weight=_balanced(examples)) if balanced else examples
    return Stream(
        examples=weighted,
        preprocess=network.backbone.preprocess,
        targets=lambda y: tuple(head.objective.targets(y, classes) for head in heads),
        augmentation=data.augmentation if examples is data.train else Augmentation(),
        views=data.views,
        batch_size=options.batch_size,
        seed=options.seed,
        drop_remainder=replicas > 1 and examples is data.train,
    )


def check_data(network: Network, data: Data, options: TrainingOptions) -> None:
    """Refuse labels that are no row of the table, a class without training images and too big a batch."""
    count = len(network.classes)
    for name, examples in (("train", data.train), ("validation", data.validation)):
        if examples is None:
            continue
        y = examples.images.y
        if y.ndim == 1 and (y.max() >= count or y.min() < 0):
            odd = int(np.flatnonzero((y >= count) | (y < 0))[0])
            received = f"{y[odd]} for {examples.images.names[odd]}"
            fail(f"{name} labels", f"rows 0 to {count - 1} of the class table", received, "Give the table its class.")
        if y.ndim == 2 and y.shape[1] != count:
            fail(f"{name} labels", f"rows of {count} classes", f"rows of {y.shape[1]}", "Give the table its class.")
        if options.batch_size > len(examples) and name == "train":
            fail("batch_size", f"at most the {len(examples)} training images", str(options.batch_size), "Lower it.")
    _check_every_class(network, data.train)
    if data.augmentation.mixes and len(network.heads) > 1:
        fail("augmentation", "no MixUp or CutMix with several heads", "one of them", "Switch it off.")


def describe(network: Network, data: Data, phases: Sequence[Phase], options: TrainingOptions) -> dict[str, Any]:
    """All that decides the outcome, as plain data."""
    heads = {name: f"{type(head).__name__} {asdict(head)}" for name, head in network.heads.items()}  # type: ignore[call-overload]
    described = {
        "backbone": network.backbone.fingerprint,
        "heads": heads,
        "classes": network.classes.names,
        "training images": _digest(data.train),
        "validation images": data.validation and _digest(data.validation),
        "augmentation": asdict(data.augmentation),
        "views": data.views,
        "schedule": [asdict(phase) for phase in phases],
        "options": asdict(options),
    }
    plain: dict[str, Any] = json.loads(json.dumps(described))
    return plain


def check_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to resume a training under other settings."""
    differing = [name for name in now if before.get(name) != now[name]]
    if differing:
        fix = "Resume with the same settings, or start again without --resume."
        fail("resume", "the settings of the checkpoint", f"other {', '.join(differing)}", fix)


def _digest(examples: Examples) -> str:
    digest = hashlib.sha256(examples.images.signature())
    for array in (examples.images.y, examples.weights):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _balanced(examples: Examples) -> np.ndarray:
    y = examples.images.y
    if y.ndim != 1:
        fail("class_weights", "none with several labels an image", "balanced", "Leave it out.")
    counts = np.bincount(y, weights=examples.weights)
    return (examples.weights * len(y) / (np.count_nonzero(counts) * counts[y])).astype(np.float32)


def _check_every_class(network: Network, train: Examples) -> None:
    y, weights = train.images.y, train.weights
    totals = np.bincount(y, weights, len(network.classes)) if y.ndim == 1 else weights @ y
    pairs = zip(network.classes.names, network.classes.seen, totals, strict=True)
    empty = [name for name, seen, total in pairs if seen and not total]
    if empty:
        received = f"none of {', '.join(empty[:5])}"
        fail("training images", "an image of every seen class", received, "Add photos, or split the data otherwise.")
