"""Few-shot methods on the same episodes: accuracy with its interval, and how far one is above another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_positive, check_seed, fail
from zsltf.data.episodes import Episode, Episodes
from zsltf.data.features import Features
from zsltf.data.few_shot_sets import FewShotSets
from zsltf.evaluation.episode_scores import class_accuracies, episode_accuracies, episode_answers, episodes_digest
from zsltf.metrics.intervals import class_interval, paired_interval
from zsltf.protocols import BaseFreeMethod, FewShotLearner, FewShotMethod

__all__ = [
    "FEWEST",
    "FewShotOutcome",
    "FewShotProtocol",
    "MethodOutcome",
    "check_base",
    "learn",
    "run_few_shot",
]

FEWEST = 600
"""Episodes below which an interval says little; a report says so."""


@dataclass(frozen=True, kw_only=True)
class FewShotProtocol:
    """Which episodes; the same settings give the same list, for every method.

    Source: Vinyals et al., "Matching networks for one shot learning", NIPS 2016 (episodes); Chen, Liu, Kira, Wang &
    Huang, "A closer look at few-shot classification", ICLR 2019 (600 of them, with a 95 % interval).
    """

    sampler: Episodes = field(default_factory=Episodes)
    episodes: int = 600
    """How many, >= 1."""
    seed: int = 0
    """Of the list."""

    def __post_init__(self) -> None:
        check_positive("FewShotProtocol", episodes=self.episodes)
        check_seed("FewShotProtocol", self.seed)

    def draw(self, novel: Features) -> list[Episode]:
        """The list."""
        return self.sampler.draw(novel.y, self.episodes, seed=self.seed)


@dataclass(frozen=True, kw_only=True, eq=False)
class MethodOutcome:
    """What a method reached."""

    method: FewShotMethod
    learner: FewShotLearner
    accuracies: Float[np.ndarray, " E"]
    """Share of each episode's queries that are right."""
    per_class: Float[np.ndarray, " C"]
    """Share of each class's queries that are right, over all episodes; NaN for a class that had none."""

    @property
    def mean(self) -> float:
        """Over episodes."""
        return float(self.accuracies.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Student's 95 % interval over episodes of these classes."""
        return class_interval(self.accuracies)

    def above(self, other: "MethodOutcome") -> tuple[float, tuple[float, float]]:
        """Mean difference in accuracy to another method on the same episodes, and its 95 % interval."""
        return self.mean - other.mean, paired_interval(self.accuracies, other.accuracies)


@dataclass(frozen=True, kw_only=True, eq=False)
class FewShotOutcome:
    """Every method on one list of episodes."""

    protocol: str
    """With base classes apart, or without base classes."""
    digest: str
    """Of the list of episodes: outcomes of another can't be compared pair by pair."""
    methods: Mapping[str, MethodOutcome]
    """By name, in the order given."""
    chance: float
    """Mean over episodes of one over its ways."""


def run_few_shot(methods: Mapping[str, FewShotMethod], sets: FewShotSets, protocol: FewShotProtocol) -> FewShotOutcome:
    """Have every method learn from the base classes, then meet the same episodes of novel classes.

    Args:
        methods: by name.
        sets: features, vectors.
        protocol: which episodes.

    Raises:
        ValueError: before anything is learned, if classes or examples are too few, or a method needs base classes.
    """
    sets.check_enough(protocol.sampler)
    check_base(methods, sets)
    episodes = protocol.draw(sets.novel)
    found = {}
    for name, method in methods.items():
        learner = learn(method, sets)
        answers = episode_answers(learner, sets.novel.x, episodes)
        found[name] = MethodOutcome(
            method=method,
            learner=learner,
            accuracies=episode_accuracies(answers, episodes),
            per_class=class_accuracies(answers, episodes, len(sets.classes)),
        )
    return FewShotOutcome(
        protocol=sets.protocol, digest=episodes_digest(episodes), methods=found, chance=_chance(episodes)
    )


def learn(method: FewShotMethod, sets: FewShotSets) -> FewShotLearner:
    """From the base classes, or without, where there are none."""
    if sets.base is not None:
        return method.learn(sets.base, validation=sets.validation)
    return _free(type(method).__name__, method).without_base()


def _chance(episodes: Sequence[Episode]) -> float:
    return float(np.mean([1 / one.ways for one in episodes]))


def check_base(methods: Mapping[str, FewShotMethod], sets: FewShotSets) -> None:
    """Refuse a method that learns from base classes where there are none."""
    if sets.base is None:
        for name, method in methods.items():
            _free(name, method)


def _free(name: str, method: FewShotMethod) -> BaseFreeMethod:
    if not isinstance(method, BaseFreeMethod):
        fix = "Leave some classes to it (--base), or take a method that learns nothing from them: simple-shot."
        fail(name, "base classes to learn from", "none", fix)
    return method
