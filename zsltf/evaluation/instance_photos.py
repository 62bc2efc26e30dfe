"""Photos of two domains in, what weighted source examples are worth on the target out, and a Classifier that ships."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zsltf.classifier import Classifier
from zsltf.data.domain_pair import DomainPair
from zsltf.data.features import Features
from zsltf.data.images import Images, OnCorrupt
from zsltf.evaluation.instance_protocol import InstanceProtocol
from zsltf.evaluation.instance_transfer import InstanceOutcome, run_instance_transfer
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.extract import extract_features

__all__ = ["InstancePhotos", "run_instance_on_photos"]


@dataclass(frozen=True, kw_only=True, eq=False)
class InstancePhotos:
    """What a method reached on a backbone's features of photos."""

    pair: DomainPair
    """Its images are those that could be decoded."""
    skipped: Mapping[str, str]
    """Photo that could not -> reason."""
    backbone: Backbone
    source: Features
    target: Features
    protocol: InstanceProtocol
    outcome: InstanceOutcome
    classifier: Classifier
    """The method's under the first seed, from images."""
    seconds: float


def run_instance_on_photos(
    method: Any,
    backbone: Backbone,
    pair: DomainPair,
    protocol: InstanceProtocol,
    *,
    on_corrupt: OnCorrupt = "skip",
) -> InstancePhotos:
    """Extract features, and run the method and what it is held against.

    Args:
        method: any instance method.
        backbone: makes the features, and is not trained.
        pair: images of both domains.
        protocol: seeds and parts.
        on_corrupt: see `extract_features`.

    Raises:
        ValueError: before features are extracted, for what `InstanceProtocol.check` refuses.
    """
    start = time.perf_counter()
    protocol.check(_numbered(pair.source), _numbered(pair.target), pair.classes)
    found = [extract_features(backbone, images, on_corrupt=on_corrupt) for images in (pair.source, pair.target)]
    skipped = found[0].skipped | found[1].skipped
    source, target = (Features(x=np.asarray(one.features.x), y=one.features.y) for one in found)
    outcome = run_instance_transfer(method, source, target, pair.classes, protocol)
    kept = [
        images.select(np.array([name not in one.skipped for name in images.names]))
        for images, one in zip((pair.source, pair.target), found, strict=True)
    ]
    return InstancePhotos(
        pair=replace(pair, source=kept[0], target=kept[1]),
        skipped=skipped,
        backbone=backbone,
        source=source,
        target=target,
        protocol=protocol,
        outcome=outcome,
        classifier=outcome.classifier.after(backbone.features(), preprocess=backbone.preprocess),
        seconds=time.perf_counter() - start,
    )


def _numbered(images: Images) -> Features:
    """What stands for features until there are some."""
    return Features(x=np.arange(len(images))[:, None].astype(np.float32), y=np.asarray(images.y))
