"""Backbones in the order of what their features promise on labelled images, without training a head."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import numpy as np

from zsltf.checks import fail
from zsltf.data.features import Features
from zsltf.data.images import Images, OnCorrupt
from zsltf.discovery import constructors
from zsltf.metrics.transferability import h_score, leep, log_me
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import catalogue
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features
from zsltf.pretrained.fetch import PublishedWeights

__all__ = ["Builders", "Ranked", "Ranking", "backbones_at_hand", "rank_backbones"]

Builders = Mapping[str, Callable[[], Backbone]]
"""Name -> what makes it."""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """What a backbone's features promise; scores of one set of images can be compared, those of two can't."""

    name: str
    log_me: float
    """Log evidence an image of a Bayesian linear model on the features, in nats: how well a linear head will do, with
    a price on features that it doesn't need. Higher is better; the table is sorted by it."""
    h_score: float
    """Share of the features' variance between classes, in whitened units, from 0 to the number of classes less one:
    how far classes are apart for how much images of one class vary. Higher is better; longer features get more."""
    leep: float | None
    """Mean log probability of the labels given what the pretrained head takes the images for, in nats, at most 0: how
    well the old classes tell the new ones. Higher is better; None where the weights bring no head."""
    features: int
    """Length of one vector."""
    seconds: float
    """Of making or reading the features."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """All that could be ranked, best first."""

    rows: tuple[Ranked, ...]
    left_out: Mapping[str, str]
    """Backbone -> why it is not among them."""
    skipped: Mapping[str, str]
    """Image that could not be decoded -> reason."""
    images: int
    classes: int


def rank_backbones(
    builders: Builders,
    images: Images,
    *,
    left_out: Mapping[str, str] | None = None,
    on_corrupt: OnCorrupt = "skip",
    announce: Callable[[Ranked], None] = lambda _: None,
) -> Ranking:
    """Extract each backbone's features once, which a later training reads from the cache, and score them.

    Args:
        builders: of backbones; one whose weights can't be had, or whose features are all alike, is left out, and why.
        images: with one class each.
        left_out: what is not among the builders, and why.
        on_corrupt: see `extract_features`.
        announce: is told each as it comes.

    Raises:
        ValueError: before slow work if there are fewer than two classes, or a class has one image; or if none of the
            backbones can be had.
    """
    _check(images)
    rows: list[Ranked] = []
    missing = dict(left_out or {})
    skipped: dict[str, str] = {}
    for name, build in builders.items():
        try:
            backbone = build()
        except (ImportError, ValueError, OSError) as error:
            missing[name] = str(error)
            continue
        start = time.perf_counter()
        extraction = extract_features(backbone, images, on_corrupt=on_corrupt)
        skipped, seconds = extraction.skipped, time.perf_counter() - start
        try:
            rows.append(_scored(name, backbone, extraction.features, seconds))
        except ValueError as error:
            missing[name] = str(error)
            continue
        announce(rows[-1])
    if not rows:
        fail("backbones", "one whose weights are at hand", "; ".join(missing.values()) or "none", "Name another.")
    ranked = tuple(sorted(rows, key=lambda row: -row.log_me))
    count = len(images) - len(skipped)
    return Ranking(rows=ranked, left_out=missing, skipped=skipped, images=count, classes=len(np.unique(images.y)))


def backbones_at_hand(*, download: bool = False) -> tuple[dict[str, Callable[[], Backbone]], dict[str, str]]:
    """What makes each network of the catalogue that has weights, and why the others are left out.

    Args:
        download: also those whose weights have to be fetched.
    """
    builders, left_out, families = {}, {}, catalogue()
    for name, file in constructors("backbones").items():
        if file not in families:
            continue
        family, member = families[file], families[file].members[name]
        published = PublishedWeights(url=family.url.format(member.file), md5=member.checksum, licence=family.licence)
        if family.source == "none" and member.parameters:
            left_out[name] = "nobody published weights"
        elif family.source == "keras.applications" and not (download or published.at_hand):
            left_out[name] = f"{published.url} is not on this machine"
        else:
            weights = "imagenet" if member.parameters else "random"
            builders[name] = BackboneChoice(backbone=name, weights=weights).build
    return builders, left_out


def _scored(name: str, backbone: Backbone, features: Features, seconds: float) -> Ranked:
    x, y = np.asarray(features.x), features.y
    shares = None if backbone.head is None else keras.ops.convert_to_numpy(keras.ops.softmax(backbone.head(x)))
    return Ranked(
        name=name,
        log_me=log_me(x, y),
        h_score=h_score(x, y),
        leep=None if shares is None else leep(shares, y),
        features=backbone.feature_size,
        seconds=seconds,
    )


def _check(images: Images) -> None:
    if images.y.ndim != 1:
        fail("images", "one class an image", "several", "Give single labels.")
    labels, counts = np.unique(images.y, return_counts=True)
    if len(labels) < 2 or counts.min() < 2:
        received = f"{len(labels)} class{'' if len(labels) == 1 else 'es'}, the smallest of {counts.min()}"
        fail("images", "two classes or more of two images or more", received, "Add photos, or leave the class out.")
