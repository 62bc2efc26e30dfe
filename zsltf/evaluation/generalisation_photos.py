"""Photos of several domains in, figures on new domains out: features once, and a Classifier of all domains."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zsltf.checks import check_not_negative
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.collection import named_classes
from zsltf.data.domain_folders import DomainImages
from zsltf.data.domains import Domains
from zsltf.data.features import Features
from zsltf.data.images import OnCorrupt
from zsltf.embeds import adapter
from zsltf.evaluation.domain_generalisation import GeneralizationProtocol, run_domain_generalization
from zsltf.evaluation.generalisation_trials import TRAINING_DOMAINS, GeneralizationOutcome, Trial
from zsltf.generalization.erm import ERM
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.extract import extract_features
from zsltf.protocols import GeneralizationMethod
from zsltf.training.seeds import with_seed

__all__ = ["REFERENCE", "GeneralizedPhotos", "run_generalization_on_photos"]

REFERENCE = "ERM"


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneralizedPhotos:
    """What a method reached on a backbone's features of photos."""

    images: DomainImages
    """Those that could be decoded."""
    skipped: Mapping[str, str]
    """Photo that could not -> reason."""
    backbone: Backbone
    domains: Domains
    """Features."""
    classes: ClassTable
    protocol: GeneralizationProtocol
    outcome: GeneralizationOutcome
    """The method's first, then ERM's, unless they are the same."""
    setting: GeneralizationMethod
    """Of the Classifier: what did best on domains that were left out."""
    classifier: Classifier
    """Of all domains, from images."""
    hardest: str
    """The new domain with the lowest accuracy."""
    without_hardest: Classifier
    """Of the other domains, from features."""
    seconds: float


def run_generalization_on_photos(
    method: Any,
    backbone: Backbone,
    images: DomainImages,
    protocol: GeneralizationProtocol,
    *,
    hidden: int = 32,
    on_corrupt: OnCorrupt = "skip",
    announce: Callable[[str, Trial], None] = lambda *_: None,
) -> GeneralizedPhotos:
    """Extract features, leave each domain out in turn, and fit the setting that did best on all domains.

    Args:
        method: any generalisation method.
        backbone: makes the features, and is not trained.
        images: of several domains.
        protocol: seeds and settings.
        hidden: units of the adapter that is trained on the features; 0 trains the head alone.
        on_corrupt: see `extract_features`.
        announce: is told each trial as it ends.

    Raises:
        ValueError: before features are extracted, for what `GeneralizationProtocol.check` refuses.
    """
    start, classes = time.perf_counter(), named_classes(images.names)
    check_not_negative("domain_generalisation", hidden=hidden)
    protocol.check(_parts(images, np.arange(len(images))[:, None].astype(np.float32)), classes)
    extraction = extract_features(backbone, images.images, on_corrupt=on_corrupt)
    kept = images.select(np.array([name not in extraction.skipped for name in images.images.names]))
    domains = _parts(kept, np.asarray(extraction.features.x))
    name = type(method).__name__
    methods = {name: method, REFERENCE: ERM()} if name != REFERENCE else {name: method}

    def network(seed: int) -> keras.Model | None:
        return adapter(backbone.feature_size, hidden, seed) if hidden else None

    outcome = run_domain_generalization(methods, domains, classes, protocol, network=network, announce=announce)
    settings, seed = protocol.settings(method), protocol.seeds[0]
    accuracies = outcome.accuracies(name, TRAINING_DOMAINS).mean(axis=0)
    hardest = int(accuracies.argmin())
    picked = outcome.picked(name, TRAINING_DOMAINS)[0][hardest]
    best = with_seed(settings[outcome.best_setting(name)], seed)
    others = domains.without(outcome.domains[hardest])
    fitted = best.fit(domains, classes, network=network(seed))
    return GeneralizedPhotos(
        images=kept,
        skipped=extraction.skipped,
        backbone=backbone,
        domains=domains,
        classes=classes,
        protocol=protocol,
        outcome=outcome,
        setting=best,
        classifier=fitted.after(backbone.features(), preprocess=backbone.preprocess),
        hardest=outcome.domains[hardest],
        without_hardest=with_seed(settings[picked.setting], seed).fit(others, classes, network=network(seed)),
        seconds=time.perf_counter() - start,
    )


def _parts(images: DomainImages, x: np.ndarray) -> Domains:
    rows = {name: images.domain == number for number, name in enumerate(images.domains)}
    return Domains(parts={name: Features(x=x[own], y=images.images.y[own]) for name, own in rows.items()})
