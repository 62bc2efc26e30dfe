"""Domain adaptation measured: methods beside source-only on the same examples, over seeds."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from jaxtyping import Bool, Float
from sklearn.model_selection import train_test_split

from zsltf.checks import check_seed, check_share, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import check_same_classes
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.embeds import copied
from zsltf.evaluation.unlabelled_criteria import CRITERIA
from zsltf.metrics.intervals import class_interval, paired_interval
from zsltf.protocols import AdaptationMethod
from zsltf.training.batch_norm import batch_norm_layers, mixed_batches, recalibrate
from zsltf.training.seeds import with_seed

__all__ = [
    "AdaptationOutcome",
    "AdaptationProtocol",
    "Adapted",
    "dealt",
    "picked_better",
    "run_adaptation",
    "under_target_statistics",
]


@dataclass(frozen=True, kw_only=True)
class AdaptationProtocol:
    """Which examples train and test, and under how many seeds.

    Labels of the target are for the test alone: neither methods nor criteria get them.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Of the network, the order of batches and what a method draws."""
    validation: float = 0.1
    """Share of the source that is held out for criteria to choose by, in (0, 1)."""
    test: float = 0.3
    """Share of the target that is tested on and not adapted to, in (0, 1)."""
    split_seed: int = 0
    """Of both shares."""

    def __post_init__(self) -> None:
        check_share("AdaptationProtocol", validation=self.validation, test=self.test)
        check_seed("AdaptationProtocol", self.split_seed, "split_seed")
        if not (self.validation and self.test and self.seeds and min(self.seeds) >= 0):
            fail("AdaptationProtocol", "seeds, and shares above 0", f"{self}", "Start from the defaults.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Adapted:
    """One method under one seed."""

    classifier: Classifier
    accuracy: float
    """On target examples that nothing was adapted to."""
    recalibrated: float | None
    """The same under BatchNorm's statistics of the target; None without BatchNorm."""
    source_accuracy: float
    """On source examples that were not trained on."""
    criteria: Mapping[str, float]
    """Without target labels; lower is better."""
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptationOutcome:
    """Every method under every seed; source-only is among them."""

    runs: Mapping[str, Sequence[Adapted]]
    reference: str

    def accuracies(self, method: str, *, recalibrated: bool = False) -> Float[np.ndarray, " R"]:
        """One a seed; NaN where there is no BatchNorm."""
        found = [run.recalibrated if recalibrated else run.accuracy for run in self.runs[method]]
        return np.array([np.nan if value is None else value for value in found])

    def interval(self, method: str, *, recalibrated: bool = False) -> tuple[float, float]:
        """Student's 95 % interval over seeds."""
        return class_interval(self.accuracies(method, recalibrated=recalibrated))

    def above_source_only(self, method: str) -> tuple[float, tuple[float, float]]:
        """Mean gain over source-only under the same seeds, and its 95 % interval; below 0 is negative transfer."""
        one, other = self.accuracies(method), self.accuracies(self.reference)
        return float(np.mean(one - other)), paired_interval(one, other)


def run_adaptation(
    methods: Mapping[str, AdaptationMethod],
    source: Features,
    target: Features,
    classes: ClassTable,
    protocol: AdaptationProtocol,
    *,
    network: Callable[[int], keras.Model | None] = lambda _: None,
    reference: str = "source only",
    announce: Callable[[str, int, Adapted], None] = lambda *_: None,
) -> AdaptationOutcome:
    """Fit every method under every seed, and test it on the target.

    Args:
        methods: by name; the reference is one of them.
        source: labelled examples.
        target: examples whose labels are only for the test.
        classes: of both.
        protocol: shares and seeds.
        network: of a seed, from an example to its embedding; None for vectors.
        reference: what gains are over.
        announce: is told each run as it ends.

    Raises:
        ValueError: before anything is trained if the domains have different classes or there is no reference.
    """
    if reference not in methods:
        fail("methods", f"'{reference}' among them", ", ".join(methods), "Add what they are held against.")
    check_same_classes({"source": source, "target": target}, classes)
    train, held_out = dealt(source, protocol.validation, protocol.split_seed)
    adapted_to, test = dealt(target, protocol.test, protocol.split_seed)
    runs: dict[str, list[Adapted]] = {name: [] for name in methods}
    for seed, (name, method) in itertools.product(protocol.seeds, methods.items()):
        start = time.process_time()
        given = adapted_to.unlabelled()
        classifier = with_seed(method, seed).fit(train, given, classes, network=network(seed))
        seconds = time.process_time() - start
        runs[name].append(_measured(classifier, held_out, given, test, seconds))
        announce(name, seed, runs[name][-1])
    return AdaptationOutcome(runs=runs, reference=reference)


def under_target_statistics(classifier: Classifier, target: Unlabelled, batch_size: int = 256) -> Classifier | None:
    """The same with BatchNorm's statistics measured on the target, which part of any gain may be; None without any."""
    embed = copied(classifier.embed)
    layers = batch_norm_layers(embed)
    if not layers:
        return None
    recalibrate(embed, mixed_batches(target.x, batch_size), layers)
    return classifier.with_embed(embed)


def picked_better(criterion: Sequence[float], accuracies: Sequence[float]) -> float:
    """Share of the pairs of models with different accuracies of which the criterion is lower for the better one."""
    value, accuracy = (np.asarray(numbers, float) for numbers in (criterion, accuracies))
    pairs: Bool[np.ndarray, "N N"] = accuracy[:, None] > accuracy[None, :]
    lower = value[:, None] < value[None, :]
    ties = value[:, None] == value[None, :]
    return float((lower[pairs] + 0.5 * ties[pairs]).mean()) if pairs.any() else float("nan")


def _measured(classifier: Classifier, held_out: Features, given: Unlabelled, test: Features, seconds: float) -> Adapted:
    other = under_target_statistics(classifier, given)
    return Adapted(
        classifier=classifier,
        accuracy=_accuracy(classifier, test),
        recalibrated=None if other is None else _accuracy(other, test),
        source_accuracy=_accuracy(classifier, held_out),
        criteria={name: criterion(classifier, held_out, given) for name, criterion in CRITERIA.items()},
        seconds=seconds,
    )


def _accuracy(classifier: Classifier, examples: Features) -> float:
    return float((classifier.score(examples.x, 256).argmax(axis=1) == examples.y).mean())


def dealt(examples: Features, share: float, seed: int) -> tuple[Features, Features]:
    """What is learnt from, and what is held out, of every class."""
    rows = train_test_split(np.arange(len(examples)), test_size=share, stratify=examples.y, random_state=seed)
    kept, held = (examples.select(np.sort(some)) for some in rows)
    return kept, held
