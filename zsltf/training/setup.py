"""Data, and what a training is told of it: streams, weights, and the description that a resumed training must match."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from zsltf.checks import check_shape, fail
from zsltf.data.augment import Augmentation
from zsltf.data.classes import ClassTable
from zsltf.training.batches import Stream
from zsltf.training.examples import Examples
from zsltf.training.network import Network
from zsltf.training.options import TrainingOptions
from zsltf.training.phases import Phase

__all__ = ["Data", "check_same", "checked", "describe", "stream_of"]


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
    by_class = options.class_weights != "none" and examples is data.train
    weighted = replace(examples, sample_weight=_by_class(examples, options, classes)) if by_class else examples
    return Stream(
        examples=weighted,
        preprocess=network.backbone.preprocess,
        targets=lambda y: tuple(head.objective.targets(y, classes) for head in heads),
        augmentation=data.augmentation if examples is data.train else Augmentation(),
        views=data.views,
        batch_size=options.batch_size,
        seed=options.seed,
        drop_remainder=replicas > 1 and examples is data.train,
        multiple=replicas,
    )


def checked(network: Network, data: Data, options: TrainingOptions) -> Data:
    """The same data with labels as the heads take them.

    Raises:
        ValueError: for labels that are no row of the table, of unseen classes or of another kind than the heads'; for
            a class without training images, too big a batch, and patience with nothing to watch.
    """
    train = _checked(network, data.train, "train labels")
    validation = data.validation and _checked(network, data.validation, "validation labels")
    if options.batch_size > len(train):
        fail("batch_size", f"at most the {len(train)} training images", str(options.batch_size), "Lower it.")
    if options.patience and validation is None:
        fail("patience", "validation images to watch", "none", "Set some apart, or leave patience out.")
    _check_every_class(network, train)
    if data.augmentation.mixes and len(network.heads) > 1:
        fail("augmentation", "no MixUp or CutMix with several heads", "one of them", "Switch it off.")
    return replace(data, train=train, validation=validation)


def describe(network: Network, data: Data, phases: Sequence[Phase], options: TrainingOptions) -> dict[str, Any]:
    """All that decides the outcome, as plain data."""
    heads = {name: f"{type(head).__name__} {asdict(head)}" for name, head in network.heads.items()}  # type: ignore[call-overload]
    described = {
        "backbone": network.backbone.fingerprint,
        "heads": heads,
        "classes": network.classes.names,
        "attributes": hashlib.sha256(network.classes.semantics.tobytes()).hexdigest(),
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


def _checked(network: Network, examples: Examples, what: str) -> Examples:
    y, classes = examples.images.y, network.classes
    for head in network.heads.values():
        y = head.objective.labels(y, classes, what)
    strange = np.flatnonzero(~classes.seen[y]) if y.ndim == 1 else np.argwhere(y[:, ~classes.seen])[:, 0]
    if len(strange):
        received = f"an image of an unseen one, {examples.images.names[strange[0]]}"
        fail(what, "classes that the table marks as seen", received, "Keep it for evaluation, or mark the class.")
    return replace(examples, images=examples.images.with_y(y))


def _by_class(examples: Examples, options: TrainingOptions, classes: ClassTable) -> np.ndarray:
    y, chosen = examples.images.y, options.class_weights
    if y.ndim != 1:
        fail("class_weights", "none with several labels an image", str(chosen), "Leave it out.")
    if chosen == "balanced":
        counts = np.bincount(y, weights=examples.weights, minlength=len(classes))
        present = counts > 0
        each = np.divide(len(y), present.sum() * counts, out=np.zeros(len(classes)), where=present)
    else:
        each = np.array(chosen, np.float64)
        check_shape("class_weights", each, (len(classes),), "Give one number a class.")
        if not (np.isfinite(each).all() and each.min() >= 0 and each.any()):
            fail("class_weights", "numbers >= 0, not all 0", str(chosen), "1 leaves a class as it is.")
    return (examples.weights * each[y]).astype(np.float32)


def _check_every_class(network: Network, train: Examples) -> None:
    y, weights = train.images.y, train.weights
    totals = np.bincount(y, weights, len(network.classes)) if y.ndim == 1 else weights @ y
    pairs = zip(network.classes.names, network.classes.seen, totals, strict=True)
    empty = [name for name, seen, total in pairs if seen and not total]
    if empty:
        received = f"none of {', '.join(empty[:5])}"
        fail("training images", "an image of every seen class", received, "Add photos, or split the data otherwise.")
