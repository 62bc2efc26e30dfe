"""Two domains of images in, adaptation's figures out: a method beside source-only over seeds, and a Classifier."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zsltf.adaptation.source_only import SourceOnly
from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domain_pair import DomainPair
from zsltf.data.images import Images
from zsltf.evaluation.adaptation import AdaptationOutcome, AdaptationProtocol, Adapted, run_adaptation
from zsltf.evaluation.adaptation_starts import DomainStart
from zsltf.protocols import AdaptationMethod
from zsltf.training.descent import Descent

__all__ = ["REFERENCE", "AdaptationPhotos", "check_enough", "run_adaptation_on_photos", "with_steps"]

REFERENCE = "SourceOnly"


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptationPhotos:
    """What a method reached on a target, beside source-only."""

    pair: DomainPair
    start: DomainStart
    protocol: AdaptationProtocol
    method: AdaptationMethod
    descent: Descent
    """Of both, but for the seed."""
    outcome: AdaptationOutcome
    """Source-only's first, then the method's, unless that is it."""
    seconds: float

    @property
    def name(self) -> str:
        """The method's."""
        return type(self.method).__name__

    def first(self, name: str) -> Adapted:
        """The run under the first seed, which is the one that ships: no run is chosen by target labels."""
        return self.outcome.runs[name][0]

    def classifier(self) -> Classifier:
        """From images."""
        return self.start.ships(self.first(self.name).classifier)


def run_adaptation_on_photos(
    method: AdaptationMethod,
    pair: DomainPair,
    make: Callable[[DomainPair], DomainStart],
    protocol: AdaptationProtocol,
    *,
    steps: int,
    announce: Callable[[str, int, Adapted], None] = lambda *_: None,
) -> AdaptationPhotos:
    """Make features, and train the method and source-only on the same of them.

    Args:
        method: any adaptation method.
        pair: images of both domains.
        make: from the images to features, once all else is checked.
        protocol: shares and seeds.
        steps: that both train for at least.
        announce: is told each run as it ends.

    Raises:
        ValueError: before features are made, if a class has too few images.
    """
    began = time.perf_counter()
    count = check_enough(pair, protocol)
    longer = with_steps(method, steps, count)
    plain = SourceOnly(descent=longer.descent)
    start = make(pair)
    outcome = run_adaptation(
        {REFERENCE: plain, type(method).__name__: longer},
        start.source,
        start.target,
        _all_seen(pair.classes),
        protocol,
        network=start.network,
        reference=REFERENCE,
        announce=announce,
    )
    return AdaptationPhotos(
        pair=pair,
        start=start,
        protocol=protocol,
        method=longer,
        descent=longer.descent,
        outcome=outcome,
        seconds=time.perf_counter() - began,
    )


def with_steps(method: Any, steps: int, count: int) -> Any:
    """The method with as many epochs over so many examples as give these steps, or its own if they are more."""
    descent: Descent = method.descent
    each = max(count // descent.batch_size, 1)
    return replace(method, descent=replace(descent, epochs=max(descent.epochs, math.ceil(steps / each))))


def check_enough(pair: DomainPair, protocol: AdaptationProtocol) -> int:
    """Refuse domains of which a part would lack a class; how many source images are trained on.

    Raises:
        ValueError: if a class has a single image in a domain, or a share has fewer images than there are classes.
    """
    for name, images, share in zip(pair.names, (pair.source, pair.target), _shares(protocol), strict=True):
        counts = np.bincount(_labels(images), minlength=len(pair.classes))
        few = [f"{pair.classes.names[i]} {counts[i]}" for i in np.flatnonzero(counts < 2)]
        if few:
            fail(name, "two images of every class", ", ".join(few[:5]), "Add images, or leave these classes out.")
        smaller = min(share, 1 - share) * len(images)
        if smaller < len(pair.classes):
            told = f"{smaller:.0f} of {len(images)}"
            fix = "Choose --validation and --test nearer to a half, or add images."
            fail(f"{name}, the smaller part", f"an image of each of {len(pair.classes)} classes", told, fix)
    return round((1 - protocol.validation) * len(pair.source))


def _shares(protocol: AdaptationProtocol) -> tuple[float, float]:
    return protocol.validation, protocol.test


def _labels(images: Images) -> np.ndarray:
    if images.y.ndim != 1:
        fail("images", "one class an image", "several", "Give single labels.")
    return images.y


def _all_seen(classes: ClassTable) -> ClassTable:
    return classes.with_seen(np.ones(len(classes), bool))
