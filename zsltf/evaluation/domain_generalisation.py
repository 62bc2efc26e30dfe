"""Leave one domain out: methods on a domain that they never saw, with settings chosen in three ways."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras
import numpy as np

from zsltf.checks import check_positive, check_share, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains, check_same_classes
from zsltf.data.features import Features
from zsltf.evaluation.generalisation_trials import (
    ORACLE,
    SOURCE_LEFT_OUT,
    TRAINING_DOMAINS,
    GeneralizationOutcome,
    Trial,
)
from zsltf.protocols import GeneralizationMethod
from zsltf.training.descent import descents
from zsltf.training.folds import hold_out
from zsltf.training.seeds import with_seed

__all__ = ["GeneralizationProtocol", "generalization_trials", "run_domain_generalization"]


@dataclass(frozen=True, kw_only=True)
class GeneralizationProtocol:
    """Every domain in turn is the new one; each method tries the same number of settings under the same seeds.

    Source: Gulrajani & Lopez-Paz, "In search of lost domain generalization", ICLR 2021; a small grid in place of its
        random search.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    """Of held-out shares, networks and the order of batches."""
    learning_rates: tuple[float, ...] = (1e-3, 3e-3)
    penalties: tuple[float, ...] = (1e-5, 1e-2)
    """Settings are all pairs of these two, and go round the method's own search range."""
    epochs: int = 15
    """Passes over the largest source domain, >= 1."""
    batch_size: int = 32
    """Examples of each source domain a step, >= 1."""
    validation: float = 0.2
    """Share of every domain that is held out, in (0, 1): of a source to choose by, of the new one for the oracle."""

    def __post_init__(self) -> None:
        check_share("GeneralizationProtocol", validation=self.validation)
        check_positive("GeneralizationProtocol", epochs=self.epochs, batch_size=self.batch_size)
        if not (self.seeds and min(self.seeds) >= 0 and self.learning_rates and self.penalties and self.validation):
            fail("GeneralizationProtocol", "seeds, settings and a share above 0", f"{self}", "Start from the defaults.")
        descents(self.learning_rates, self.penalties, (self.epochs,))  # which refuses what it doesn't take

    def settings(self, method: Any) -> list[Any]:
        """One a pair of learning rate and penalty: the first with the method's own values, the next with others."""
        tried = [dict(zip(method.SEARCH, values, strict=True)) for values in itertools.product(*method.SEARCH.values())]
        given = {name: getattr(method, name) for name in method.SEARCH}
        own = itertools.cycle([given, *(values for values in tried if values != given)])
        base = replace(method.descent, batch_size=self.batch_size)
        grid = descents(self.learning_rates, self.penalties, (self.epochs,), base)
        return [replace(method, descent=descent, **next(own)) for descent in grid]

    def parts(self, domains: Domains, seed: int) -> tuple[Domains, Domains]:
        """What may be trained on, and what is held out, of every class in every domain."""
        held = {name: hold_out(part.y, self.validation, seed) for name, part in domains.parts.items()}
        kept = {name: part.select(~held[name]) for name, part in domains.parts.items()}
        return Domains(parts=kept), Domains(parts={name: domains.parts[name].select(held[name]) for name in held})

    def check(self, domains: Domains, classes: ClassTable) -> None:
        """Refuse domains that don't do, before anything is trained.

        Raises:
            ValueError: if there are fewer than three, one lacks a class, or has a single example of it.
        """
        if len(domains.parts) < 3:
            fail("domains", "three or more: one is new, two are sources", ", ".join(domains.parts), "Add another.")
        check_same_classes(domains.parts, classes)
        for name, part in domains.parts.items():
            single = np.flatnonzero(np.bincount(part.y) == 1)
            if len(single):
                where = f"1 of {classes.names[single[0]]} in {name}"
                fail("domains", "two examples or more of every class", where, "Add some, or leave the class out.")


def run_domain_generalization(
    methods: Mapping[str, GeneralizationMethod],
    domains: Domains,
    classes: ClassTable,
    protocol: GeneralizationProtocol,
    *,
    network: Callable[[int], keras.Model | None] = lambda _: None,
    reference: str = "ERM",
    announce: Callable[[str, Trial], None] = lambda *_: None,
) -> GeneralizationOutcome:
    """Leave each domain out under every seed, and try every setting of every method on the others.

    Args:
        methods: by name; the reference is one of them.
        domains: labelled examples, four domains or more for a choice by a source domain that is left out.
        classes: which every domain has.
        protocol: seeds and settings.
        network: of a seed, from an example to its embedding; None for vectors.
        reference: what differences are to.
        announce: is told each trial as it ends.

    Raises:
        ValueError: before anything is trained, for what `GeneralizationProtocol.check` refuses, or without reference.
    """
    if reference not in methods:
        fail("methods", f"'{reference}' among them", ", ".join(methods), "Add what they are held against.")
    protocol.check(domains, classes)
    trials: dict[str, list[Trial]] = {name: [] for name in methods}
    for seed, (name, method) in itertools.product(protocol.seeds, methods.items()):
        for trial in generalization_trials(method, domains, classes, protocol, seed, network=network(seed)):
            trials[name].append(trial)
            announce(name, trial)
    return GeneralizationOutcome(trials=trials, reference=reference)


def generalization_trials(
    method: GeneralizationMethod,
    domains: Domains,
    classes: ClassTable,
    protocol: GeneralizationProtocol,
    seed: int,
    *,
    network: keras.Model | None = None,
) -> Iterator[Trial]:
    """Each setting of a method with each domain as the new one, under one seed; see `run_domain_generalization`."""
    kept, held = protocol.parts(domains, seed)
    for number, setting in enumerate(protocol.settings(method)):
        start = time.process_time()
        fit = partial(with_seed(setting, seed).fit, classes=classes, network=network)
        left_out = _without_pairs(fit, kept, domains) if len(domains.parts) > 3 else {}
        for new in domains.parts:
            classifier = fit(kept.without(new))
            sources = [name for name in domains.parts if name != new]
            by = {TRAINING_DOMAINS: float(np.mean([_accuracy(classifier, held.parts[name]) for name in sources]))}
            if left_out:
                by[SOURCE_LEFT_OUT] = float(np.mean([left_out[new, name] for name in sources]))
            by[ORACLE] = _accuracy(classifier, held.parts[new])
            accuracy = _accuracy(classifier, kept.parts[new])
            seconds, start = time.process_time() - start, time.process_time()
            yield Trial(domain=new, seed=seed, setting=number, accuracy=accuracy, by=by, seconds=seconds)


def _without_pairs(
    fit: Callable[[Domains], Classifier], kept: Domains, domains: Domains
) -> dict[tuple[str, str], float]:
    """(new, source) -> accuracy on all of the source where neither was trained on: a fit serves two pairs."""
    found = {}
    for one, other in itertools.combinations(domains.parts, 2):
        classifier = fit(kept.without(one).without(other))
        found[one, other] = _accuracy(classifier, domains.parts[other])
        found[other, one] = _accuracy(classifier, domains.parts[one])
    return found


def _accuracy(classifier: Classifier, examples: Features) -> float:
    return float((classifier.score(examples.x, 256).argmax(axis=1) == examples.y).mean())
